import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { MailServer } from '../../platform/mail.ts'
import type { Theme } from '../../platform/theme/theme.ts'
import type { Database, Shards } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { createComposer } from './mails/compose.ts'
import { CORRECTIONS, createSending, type Round, type SendingPolicy } from './sending.ts'
import {
  type Contact,
  deleteContact,
  deleteOldContacts,
  insertContact,
  selectContact,
  upsertContact,
} from './contacts-sql.ts'
import {
  countNotices,
  reviveNotices,
  selectTold,
  selectUndelivered,
  type Told,
  type Undelivered,
} from './sql.ts'

export type { Round, SendingPolicy } from './sending.ts'
export type { NoticeKind, Undelivered } from './sql.ts'

/** The receipt of a paid order. Times in ms; `amount` for the whole order in minor units. */
export interface Receipt {
  readonly order_id: OrderId
  readonly item_name: string
  readonly quantity: number
  readonly amount: number
  readonly currency: string
  readonly paid_at: number
  /** What gift cards paid of it. */
  readonly gift_amount: number
  /** Who took the rest; null where there was none. */
  readonly provider: string | null
  readonly provider_ref: string | null
  /** Where it goes by mail, and whether it went. */
  readonly email: string | null
  readonly mail: 'none' | 'on_its_way' | 'sent' | 'undeliverable'
}

export * from './overview-sql.ts'

export interface Notices {
  /** Whether there is a mail server at all; without one no address is asked for or kept. */
  readonly mails: boolean
  /** The address the buyer gave for an order. */
  contact(user: UserId, order: OrderId): Promise<string | undefined>
  /**
   * Keeps the address for an order, or forgets it; whether the order exists is for the caller to know. `settled`: a mail
   * about it has gone to another address. Safe to repeat, before and after the order ends.
   */
  give(user: UserId, order: OrderId, contact: Contact | null): Promise<'kept' | 'settled'>
  /** Keeps an address the buyer did not type, where there is none. Never throws: a payment goes on without. */
  suggest(user: UserId, order: OrderId, contact: Contact): Promise<void>
  /** The receipt of an order; `unpaid` ones (also where the money was lost again) and `unknown` ones have none. */
  receipt(user: UserId, order: OrderId): Promise<Receipt | 'unpaid' | 'unknown'>
  /** One round: writes down what is to be told and sends what is due. Safe to repeat, and in several processes. */
  round(signal?: AbortSignal): Promise<Round>
  /** Round after round until the signal is aborted, and addresses that are old are deleted. */
  run(signal: AbortSignal): Promise<void>
  /** Deletes addresses that are older than the retention; answers how many. */
  forget(): Promise<number>
  /** How many wait and how many were given up, over all shards that answer. */
  backlog(): Promise<{ due: number; dead: number }>
  /** Those that were given up, the newest first. */
  undelivered(max: number): Promise<Undelivered[]>
  /** Tries all that were given up again, from the start; answers how many. */
  retry(): Promise<number>
}

export interface NoticeParts {
  readonly shards: Shards
  readonly catalogue: Pick<Catalogue, 'product'>
  /** Undefined: no mails. */
  readonly mail: MailServer | undefined
  /** Public origin, for links to orders and as the right side of message ids. */
  readonly shopUrl: string
  /** Days until an address is deleted. */
  readonly contactDays: number
  readonly theme: Pick<Theme, 'name' | 'speakers'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly policy?: Partial<SendingPolicy>
}

const FORGET_BATCH = 1000
const FORGET_EVERY_MS = 600_000

const MAIL_STATES = { due: 'on_its_way', sent: 'sent', dead: 'undeliverable', obsolete: 'none' } as const

export function createNotices(parts: NoticeParts): Notices {
  const { shards, catalogue, mail, contactDays, clock, log } = parts
  const nameOf = async (item: string) => (await catalogue.product(item))?.name ?? item
  const compose = createComposer({ nameOf, shopUrl: parts.shopUrl, theme: parts.theme })
  const sending = createSending({ ...parts, compose })

  /** A shard that is away keeps nothing from the others. */
  const onEach = async <Answer>(what: string, work: (shard: Database) => Promise<Answer>) => {
    const answers = shards.all.map((shard, number) =>
      work(shard).catch((error: unknown) => {
        log.warn({ err: error, shard: number, what }, 'failed; tried again')
        return undefined
      }),
    )
    return (await Promise.all(answers)).filter((answer) => answer !== undefined)
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

  const forget = async () =>
    sum(
      await onEach('delete old addresses', async (shard) => {
        for (let all = 0; ;) {
          const gone = await deleteOldContacts(shard, contactDays, FORGET_BATCH)
          all += gone
          if (gone < FORGET_BATCH) return all
        }
      }),
    )

  return {
    mails: mail !== undefined,
    contact: (user, order) => selectContact(shards.of(user), user, order),
    give: async (user, order, contact) => {
      if (contact !== null) return upsertContact(shards.of(user), user, order, contact, CORRECTIONS)
      await deleteContact(shards.of(user), user, order)
      return 'kept'
    },
    suggest: async (user, order, contact) => {
      await insertContact(shards.of(user), user, order, contact).catch((error: unknown) =>
        log.warn({ err: error, order_id: order }, 'an address was not kept'),
      )
    },
    receipt: async (user, order) => {
      const told = await selectTold(shards.of(user), user, order)
      if (told === undefined) return 'unknown'
      if (told.status !== 'PAID' || told.paid_at === null || told.lost) return 'unpaid'
      return toReceipt(order, { ...told, paid_at: told.paid_at }, await nameOf(told.item_id))
    },
    round: sending.round,
    run: async (signal) => {
      if (mail === undefined) log.warn('SMTP_URL is not set: buyers get no mails')
      const forgetting = async () => {
        while (!signal.aborted) {
          await forget()
          await clock.sleep(FORGET_EVERY_MS, signal)
        }
      }
      await Promise.all([forgetting(), mail === undefined ? undefined : sending.run(signal)])
    },
    forget,
    backlog: async () => {
      const counts = await onEach('count notices', countNotices)
      return { due: sum(counts.map(({ due }) => due)), dead: sum(counts.map(({ dead }) => dead)) }
    },
    undelivered: async (max) =>
      (await onEach('list notices', (shard) => selectUndelivered(shard, max)))
        .flat()
        .sort((a, b) => b.created_at.getTime() - a.created_at.getTime())
        .slice(0, max),
    retry: async () => sum(await onEach('retry notices', reviveNotices)),
  }
}

function toReceipt(order_id: OrderId, told: Told & { paid_at: Date }, item_name: string): Receipt {
  const { quantity, amount, currency, gift_amount, provider, provider_ref, email, notice } = told
  return {
    ...{ order_id, item_name, quantity, amount, currency, gift_amount, provider, provider_ref, email },
    paid_at: told.paid_at.getTime(),
    mail: notice === null ? (email === null ? 'none' : 'on_its_way') : MAIL_STATES[notice],
  }
}
