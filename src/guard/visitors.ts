import type { SaleId } from '../contracts/ids.ts'
import type { ClientAddress } from './client-address.ts'
import type { Oddity } from './headers.ts'
import type { LimitCheck, LimitOutcome, Limits } from './limits.ts'
import type { Evidence } from './risk.ts'
import type { GuardSettings, LimitName } from './settings.ts'
import type { Signals, Visit } from './signals.ts'

/** Who asks, as far as it is known. */
export interface Visitor {
  readonly sale: SaleId
  readonly settings: GuardSettings
  readonly client: ClientAddress
  /** In a network that the sale exempts from being limited and scored. */
  readonly exempt: boolean
  readonly device?: string | undefined
  readonly fingerprint?: string | undefined
  readonly user?: string | undefined
  readonly ticket?: string | undefined
}

export type Action = 'challenge' | 'join' | 'form' | 'enter' | 'claim' | 'gift'

/** By what a limit knows a visitor. */
const KEYS: Readonly<Record<LimitName, (visitor: Visitor) => string | undefined>> = {
  challenge_address: ({ client }) => client.address,
  join_address: ({ client }) => client.address,
  join_network: ({ client }) => client.network,
  join_device: ({ device }) => device,
  // In its network: one model of phone has one fingerprint all over the world.
  join_fingerprint: ({ client, fingerprint }) => fingerprint && `${client.network} ${fingerprint}`,
  join_user: ({ user }) => user,
  form_address: ({ client }) => client.address,
  enter_ticket: ({ ticket }) => ticket,
  enter_address: ({ client }) => client.address,
  claim_user: ({ user }) => user,
  claim_address: ({ client }) => client.address,
  gift_user: ({ user }) => user,
  gift_address: ({ client }) => client.address,
}
const SHARED: ReadonlySet<LimitName> = new Set<LimitName>([
  ...(['challenge_address', 'join_address', 'join_network', 'join_fingerprint'] as const),
  ...(['form_address', 'enter_address', 'claim_address', 'gift_address'] as const),
])

const JOIN = ['join_address', 'join_network', 'join_device', 'join_fingerprint', 'join_user'] as const
const COUNTED: Readonly<Record<Action, readonly LimitName[]>> = {
  challenge: ['challenge_address'],
  join: JOIN,
  form: [...JOIN, 'form_address'],
  enter: ['enter_ticket', 'enter_address'],
  claim: ['claim_user', 'claim_address'],
  gift: ['gift_user', 'gift_address'],
}
/** What the risk score looks at besides, without counting. */
const LOOKED_AT: Readonly<Record<Action, readonly LimitName[]>> = {
  challenge: ['join_address', 'join_network', 'join_device'],
  join: ['challenge_address'],
  form: ['challenge_address'],
  enter: [],
  claim: [],
  gift: [],
}
const enteredName = ({ client }: Visitor) => `entered ${client.address}`

export interface Observation {
  readonly limit: LimitOutcome
  readonly evidence: Omit<Evidence, 'work' | 'oddities'>
}

/** Counts visitors, and holds them to the sale's limits. */
export function createVisitors({ signals, limits }: { signals: Signals; limits: Limits }) {
  const checksOf = (visitor: Visitor, action: Action): Omit<LimitCheck, 'seen'>[] =>
    COUNTED[action].flatMap((name) => {
      const key = KEYS[name](visitor)
      const free = !visitor.settings.limits.on || (visitor.exempt && SHARED.has(name))
      return key === undefined || free ? [] : [{ name, key, limit: visitor.settings.limits[name] }]
    })

  return {
    /** Whether the visitor was refused a moment ago and has to wait still; costs nothing. */
    blocked: (visitor: Visitor, action: Action): LimitOutcome =>
      limits.blocked(visitor.sale, checksOf(visitor, action)),

    /** Counts this visit. Never rejects. */
    observe: async (visitor: Visitor, action: Action): Promise<Observation> => {
      const { sale, settings } = visitor
      // Only joins and challenges are scored; what comes later is but limited.
      const isScored = settings.risk.on && action !== 'enter' && action !== 'claim' && action !== 'gift'
      const limited = checksOf(visitor, action)
      if (!isScored && !limited.some(({ limit }) => limit.on))
        return { limit: { kind: 'ok' }, evidence: NO_EVIDENCE }
      const names: LimitName[] = []
      const visits: Visit[] = []
      const add = (list: readonly LimitName[], one: 0 | 1) => {
        for (const name of list) {
          const key = KEYS[name](visitor)
          if (key === undefined) continue
          names.push(name)
          visits.push({ name: `${name} ${key}`, add: one })
        }
      }
      add(COUNTED[action], 1)
      add(LOOKED_AT[action], 0)
      if (isScored) visits.push({ name: enteredName(visitor), add: 0 })
      const joins = action === 'join' || action === 'form' ? 1 : 0
      const counts = await signals.count(sale, settings.counting, { visits, joins })

      const of = (numbers: readonly number[], name: LimitName) => numbers[names.indexOf(name)] ?? 0
      const checks = limited.map((check) => ({
        ...check,
        seen: of(counts.seen, check.name),
      }))
      // An accusation is made from what is surely theirs; a limit's rough count may be too large.
      const surely = (name: LimitName) => of(counts.surely, name)
      return {
        limit: await limits.consume(sale, checks),
        evidence: {
          joins: {
            address: surely('join_address'),
            network: surely('join_network'),
            device: surely('join_device'),
            fingerprint: surely('join_fingerprint'),
          },
          challenges: surely('challenge_address'),
          enters: {
            address: isScored ? (counts.seen.at(-1) ?? 0) : 0,
            perJoin: counts.joins === 0 ? 0 : counts.enters / counts.joins,
          },
        },
      }
    },

    /** Somebody was let in: what becomes of an address's joins is part of its reputation. */
    noteEntered: async (visitor: Visitor): Promise<void> => {
      if (!visitor.settings.risk.on) return
      const visits = [{ name: enteredName(visitor), add: 1 as const }]
      await signals.count(visitor.sale, visitor.settings.counting, { visits, enters: 1 })
    },
  }
}
export type Visitors = ReturnType<typeof createVisitors>

/** What is held against nobody: of an exempt network, or where nothing is scored. */
export const NO_EVIDENCE: Observation['evidence'] & { readonly oddities: readonly Oddity[] } = {
  joins: { address: 0, network: 0, device: 0, fingerprint: 0 },
  challenges: 0,
  enters: { address: 0, perJoin: 0 },
  oddities: [],
}
