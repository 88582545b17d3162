import type { Catalogue, Product, Sale } from '../../src/flow/catalogue/catalogue.ts'
import type { World } from './world.ts'

/** What this seed's sale is like; each seed turns on other faults, so that rare ones are not drowned by common ones. */
export interface Setting {
  readonly buyers: number
  readonly profile: 'embedded' | 'full'
  /** What a crash of Redis may forget: with `appendfsync always` nothing. */
  readonly durability: 'nothing lost' | 'tail lost' | 'everything lost'
  readonly webs: number
  readonly workers: number
  readonly cleanups: number
  readonly shards: number
  /** Faults by name that may come, and how many will. */
  readonly faults: readonly FaultName[]
  readonly faultCount: number
  /** Share of webhooks that never arrive. */
  readonly webhookLoss: number
  readonly sale: Sale
  readonly products: readonly Product[]
}

export const FAULTS = [
  'web killed',
  'worker killed',
  'cleanup killed',
  'process frozen',
  'clock jumped',
  'redis crashed',
  'sql crashed',
  'kafka crashed',
  'provider away',
] as const
export type FaultName = (typeof FAULTS)[number]

/** Buyers come and faults happen for so long, in virtual ms; then everything heals. */
export const TROUBLE_MS = 25_000

export function drawSetting(world: World): Setting {
  const payment_window_s = world.pick([3, 6, 10])
  const sale: Sale = {
    ...{ id: 'sale', name: 'Sale', opens_at: world.time, ends_at: null, state: 'open', message: '' },
    ...{ payment_window_s, hold_s: payment_window_s + world.pick([0, 1, 4]), pass_s: 600, turn_s: 60 },
    ...{ rate_per_second: 100, checkout_cap: null, checkouts_per_unit: 3, standby_threshold: null },
    ...{ lobby_opens_at: null, post_sale_at: null, draw_commitment: null, rehearsal: false },
  }
  const products = Array.from({ length: world.pick([1, 1, 2]) }, (_, number): Product => ({
    ...{ id: `item-${number}`, sale_id: sale.id, name: `Item ${number}`, description: '' },
    ...{
      amount: 500 + number,
      currency: 'EUR',
      units: world.between(1, world.pick([2, 4, 8])),
      per_buyer_limit: world.pick([1, 2]),
      picture: { path: '', width: 1, height: 1, alt: '' },
    },
  }))
  const durability = world.pick(['nothing lost', 'nothing lost', 'tail lost', 'everything lost'] as const)
  return {
    buyers: world.between(3, world.pick([6, 12, 20])),
    profile: world.pick(['embedded', 'full']),
    durability,
    webs: 2,
    workers: world.pick([1, 2]),
    cleanups: world.pick([1, 2]),
    shards: world.pick([1, 2]),
    faults: FAULTS.filter(
      (name) => world.chance(0.5) || (name === 'redis crashed' && durability !== 'nothing lost'),
    ),
    faultCount: world.between(0, 8),
    webhookLoss: world.pick([0, 0.1, 0.5]),
    sale,
    products,
  }
}

/** The catalogue as every process has it; that it is cached from SQL is not part of the simulation. */
export function settingCatalogue({ sale, products }: Setting): Catalogue {
  const changes = () => Promise.reject(new Error('nobody changes the catalogue here'))
  return {
    sale: (id) => Promise.resolve(id === sale.id ? sale : undefined),
    product: (id) => Promise.resolve(products.find((product) => product.id === id)),
    units: (id) => Promise.resolve(products.find((product) => product.id === id)?.units),
    stock: (id) => {
      const units = products.find((product) => product.id === id)?.units
      return Promise.resolve(units === undefined ? undefined : { units, parts: 1 })
    },
    sales: () => Promise.resolve([sale]),
    products: () => Promise.resolve([...products]),
    groups: () => Promise.resolve([]),
    guard: () => Promise.resolve({}),
    oversell: () => Promise.resolve(undefined),
    drawSecret: () => Promise.resolve(null),
    create: changes,
    addGroup: changes,
    change: changes,
  } satisfies Partial<Catalogue> as unknown as Catalogue
}
