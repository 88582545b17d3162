import type { Language } from '../../src/contracts/words/say.ts'
import { createNotices, type NoticeParts, type Notices } from '../../src/flow/notices/notices.ts'
import type { MailServer } from '../../src/platform/mail.ts'
import { type Claim, type Flow, startFlow } from './flow.ts'
import { startTestMailbox } from './mail.ts'
import { paying } from './paying.ts'

export type Telling = Awaited<ReturnType<typeof startTelling>>

let addresses = 0

/** The whole flow beside a real mail server. */
export async function startTelling() {
  const mailbox = await startTestMailbox()
  const mail = mailbox.connect()
  const flow = await startFlow({ mail })
  const { app } = flow
  const onEach = async (sql: string) => {
    for (const shard of app.shards.all) await shard.query(sql)
  }
  const stateOf = async ({ user_id, order_id }: Pick<Claim, 'user_id' | 'order_id'>) => {
    const found = await app.shards
      .of(user_id)
      .query<{ kind: string; state: string; attempts: number; code: string | null }>(
        'select kind, state, attempts, code from notices where order_id = $1 order by created_at, kind',
        [order_id],
      )
    return found.rows
  }
  return {
    flow,
    mailbox,
    mail,
    stateOf,
    onEach,
    /** A second worker, or one whose parts are others. */
    notices: (change: Partial<NoticeParts> = {}): Notices =>
      createNotices({
        ...app,
        mail,
        shopUrl: app.config.urls.shop,
        contactDays: app.config.mail.contactDays,
        random: () => 0.5,
        ...change,
      }),
    /** A pending order with an address of its own. */
    ordered: async (item: string, email = `buyer-${++addresses}@example.com`, language: Language = 'en') => {
      const claimed = await flow.pending(item)
      await app.notices.give(claimed.user_id, claimed.order_id, { email, language })
      return { ...claimed, email }
    },
    /** Pays by card, with the provider's word for it. */
    pay: async (claimed: Claim) => {
      const buying = paying(flow, claimed.item_id)
      const { secret, ref } = await buying.starting(claimed)
      await flow.stripe.confirm(secret, { payment_method: 'pm_card_visa' })
      if ((await buying.receive(ref, 'authorised')) !== 'paid') throw new Error('not paid')
      return ref
    },
    /** Lets what waits for its next attempt have waited, and leases be over. */
    rest: () => onEach(`update notices set next_at = now() - interval '1 second' where state = 'due'`),
    [Symbol.asyncDispose]: async () => {
      await flow[Symbol.asyncDispose]()
      mail.close()
      await mailbox[Symbol.asyncDispose]()
    },
  }
}

/** A mail server that counts, and does what `instead` says where that answers something. */
export function watchedMail(
  mail: MailServer,
  instead: (to: string) => ReturnType<MailServer['send']> | undefined = () => undefined,
): MailServer & { readonly tried: string[] } {
  const tried: string[] = []
  return {
    tried,
    send: (one) => {
      tried.push(one.to)
      return instead(one.to) ?? mail.send(one)
    },
    close: () => undefined,
  }
}

export type { Flow }
