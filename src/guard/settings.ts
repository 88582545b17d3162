import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import type { SaleId } from '../contracts/ids.ts'

/**
 * The guard of one sale. Everything has a default, so `GuardSettings.parse({})` is a guarded sale; each feature can be
 * switched off by itself. An unknown name is refused, since a misspelt limit would be no limit.
 */
const Switch = z.boolean().default(true)
const Hashes = z.int().min(1).max(1_000_000_000)
const Score = z.int().min(1).max(101)

/** `points` times per `duration_s`, a visitor below it is never refused; see limits.ts for how exact the other side is. */
const limit = (points: number, duration_s = 60) =>
  z
    .strictObject({
      on: Switch,
      points: z.int().min(1).max(10_000_000).default(points),
      duration_s: z.int().min(1).max(86_400).default(duration_s),
    })
    .prefault({})

/**
 * What is counted, by what. An address is an IPv4 address or an IPv6 /64, a network an IPv4 /24 or an IPv6 /48: many
 * honest people share one (mobile carriers, campuses), so these limits are wide; a device is one browser.
 */
const Limits = z.strictObject({
  challenge_address: limit(1200),
  join_address: limit(600),
  join_network: limit(6000),
  join_device: limit(10),
  join_fingerprint: limit(600),
  join_user: limit(10),
  /** Joins without JavaScript: no proof of work stands in front of them. */
  form_address: limit(20),
  /** The waiting room asks a client that is too early to come back after a second or more. */
  enter_ticket: limit(120),
  enter_address: limit(6000),
  claim_user: limit(60),
  claim_address: limit(1200),
  /** Codes of gift cards: who types one needs few tries, who guesses needs many. */
  gift_user: limit(12),
  gift_address: limit(300),
})
export type LimitName = keyof z.infer<typeof Limits>

const Network = z.string().refine((text) => ipaddr.isValidCIDR(text), 'an address range such as 192.0.2.0/24')

export const GuardSettings = z
  .strictObject({
    proof_of_work: z
      .strictObject({
        on: Switch,
        /** Expected SHA-256 hashes; the worst case is twice that. A browser does some millions a second. */
        hashes: Hashes.default(500_000),
        /** For a visitor of raised risk, at least. */
        raised_hashes: Hashes.default(5_000_000),
        /** Beside a question, for a visitor of anomalous risk. */
        captcha_hashes: Hashes.default(2_000_000),
        /** From the challenge to the join: who reads for long only gets a new challenge. */
        lifetime_s: z.int().min(10).max(3600).default(600),
      })
      .prefault({}),
    limits: z.strictObject({ on: Switch, ...Limits.shape }).prefault({}),
    risk: z
      .strictObject({
        on: Switch,
        /** Scores (0..100) from which a visitor is treated so; 101 switches a level off. */
        raised: Score.default(30),
        anomalous: Score.default(60),
        bot: Score.default(85),
      })
      .prefault({}),
    captcha: z.strictObject({ on: Switch }).prefault({}),
    /** A suspected bot gets a place in a line that leads nowhere, instead of a CAPTCHA. Off: somebody may be wronged. */
    decoy: z.strictObject({ on: z.boolean().default(false) }).prefault({}),
    /**
     * How visitors are counted: in tables of fixed size, whatever their number (signals.ts), emptied every `window_s`; no
     * limit may last longer. 2^20 cells are 3 MB in Redis and 12 MB in each process, and serve some million arrivals a
     * process and window; with more, more visitors get an exact counter, and scores see less.
     */
    counting: z
      .strictObject({
        window_s: z.int().min(10).max(86_400).default(600),
        cells: z.int().min(1024).max(33_554_432).default(1_048_576),
      })
      .prefault({}),
    /** Networks that are neither limited nor scored (the shop's own monitoring); proof of work is asked all the same. */
    exempt_networks: z.array(Network).max(100).default([]),
  })
  .superRefine(({ limits, counting, risk }, context) => {
    for (const [name, one] of Object.entries(limits)) {
      if (typeof one === 'object' && one.duration_s > counting.window_s)
        context.addIssue({
          code: 'custom',
          path: ['limits', name, 'duration_s'],
          message: 'longer than counting.window_s',
        })
    }
    if (risk.raised > risk.anomalous || risk.anomalous > risk.bot)
      context.addIssue({ code: 'custom', path: ['risk'], message: 'raised <= anomalous <= bot must hold' })
  })
export type GuardSettings = z.infer<typeof GuardSettings>
export type GuardSettingsInput = z.input<typeof GuardSettings>
export type Limit = GuardSettings['limits'][LimitName]

/** The settings of a sale, checked once each time `read` has them anew; undefined for an unknown sale. */
export function rememberSettings(read: (sale: SaleId) => Promise<Record<string, unknown> | undefined>) {
  const known = new WeakMap<object, GuardSettings>()
  return async (sale: SaleId): Promise<GuardSettings | undefined> => {
    const given = await read(sale)
    if (given === undefined) return undefined
    const settings = known.get(given) ?? GuardSettings.parse(given)
    known.set(given, settings)
    return settings
  }
}
