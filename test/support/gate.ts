import type { Inventory } from '../../src/flow/inventory/inventory.ts'
import type { PaymentProvider } from '../../src/flow/payments/payments.ts'
import type { Database, Shards, Sql } from '../../src/platform/postgres.ts'

/** Decides when a call to the outside world goes out; the next one goes out only when it is done. */
export type Gate = <Answer>(label: string, call: () => Promise<Answer>) => Promise<Answer>

/** Statements by themselves, transactions as a whole: a statement that waits for a lock must not wait for the gate. */
export function gateShards(shards: Shards, gate: Gate): Shards {
  const wrap = (database: Database, number: number): Database => ({
    query: (text, values) =>
      gate(`sql ${number} ${text.trim().slice(0, 30)}`, () => database.query(text, values)),
    transaction: (work) => gate(`transaction ${number}`, () => database.transaction(work)),
    close: () => database.close(),
  })
  const all = shards.all.map(wrap)
  const gated = (sql: Sql, number: number): Sql => ({
    query: (text, values) => gate(`sql ${number} ${text.trim().slice(0, 30)}`, () => sql.query(text, values)),
  })
  return {
    ...shards,
    all,
    catalogue: all[0] as Database,
    of: (user) => wrap(shards.of(user), shards.numberOf(user)),
    spread: (rows, work) =>
      shards.spread(rows, ({ sql, shard }, some) => work({ sql: gated(sql, shard), shard }, some)),
    survey: (read, briefMs) =>
      shards.survey(({ sql, shard }) => read({ sql: gated(sql, shard), shard }), briefMs),
  }
}

/** `item`: the only one there is, so that other tests' items take no turns. */
export function gateInventory(inventory: Inventory, item: string, gate: Gate): Inventory {
  return {
    ...inventory,
    items: async () => [item],
    due: (...call) => gate('due', () => inventory.due(...call)),
    settle: (...call) => gate('settle', () => inventory.settle(...call)),
    release: (...call) => gate('release', () => inventory.release(...call)),
    findClaim: (...call) => gate('find claim', () => inventory.findClaim(...call)),
    stock: (...call) => gate('stock', () => inventory.stock(...call)),
    holds: (...call) => gate('holds', () => inventory.holds(...call)),
    rebuild: (...call) => gate('rebuild', () => inventory.rebuild(...call)),
    unconfirmed: (...call) => gate('unconfirmed', () => inventory.unconfirmed(...call)),
  }
}

export function gateProvider(provider: PaymentProvider, gate: Gate): PaymentProvider {
  return {
    ...provider,
    find: (...call) => gate('provider find', () => provider.find(...call)),
    authorise: (...call) => gate('provider authorise', () => provider.authorise(...call)),
    capture: (...call) => gate('provider capture', () => provider.capture(...call)),
    cancel: (...call) => gate('provider cancel', () => provider.cancel(...call)),
    refund: (...call) => gate('provider refund', () => provider.refund(...call)),
  }
}
