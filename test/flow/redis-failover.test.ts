import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Application, createApp } from '../../src/app.ts'
import { createInventory, InventoryUnavailable } from '../../src/flow/inventory/inventory.ts'
import { createTokens } from '../../src/platform/tokens.ts'
import { actions, type Claim, testConfig } from '../support/flow.ts'
import { claimOf, itemOf, keyOf } from '../support/inventory.ts'
import { testDatabases, type TestDatabases } from '../support/postgres.ts'
import { loseFolder } from '../support/redis-faults.ts'
import { REPLICATED_PASSWORD, startTestReplicas, type TestReplicas } from '../support/redis-sentinel.ts'
import { eventually } from '../support/stripe.ts'

setDefaultTimeout(90_000)
let databases: TestDatabases
beforeAll(async () => void (databases = await testDatabases(2)), 60_000)
afterAll(() => databases.drop())

async function withApp(url: string, work: (app: Application) => Promise<void>): Promise<void> {
  const { config, secrets } = testConfig(url, databases.urls, 'http://127.0.0.1:1')
  const app = await createApp(config, secrets, { providers: [] })
  await work(app).finally(() => app.close())
}
const freeze = (pid: number) => process.kill(pid, 'SIGSTOP')
const thaw = (pid: number) => process.kill(pid, 'SIGCONT')

const receiptOf = ({ secrets }: Application, { user_id, order_id, item_id }: Claim) => {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { aud: `sale-${item_id}`, iat, exp: iat + 3600, sub: user_id, order: order_id }
  return createTokens(secrets.tokenKeys).sign('receipt', { ...claims, item: item_id, quantity: 1 })
}

/** The replica hears nothing any more; what is claimed from now on, only the master knows. */
async function cutOff(servers: TestReplicas): Promise<void> {
  freeze(servers.replica.pid)
  const connection = await servers.direct(servers.master)
  await connection.commands.call('CLIENT', 'KILL', 'TYPE', 'replica')
  await connection.close()
}

test('a replica that lags behind takes over: fenced, reconciled first, and no claim is sold twice', async () => {
  const servers = await startTestReplicas()
  await withApp(servers.url, async (app) => {
    const flow = actions(app)
    const item = await flow.newItem(10)
    const claims: Claim[] = []
    for (let count = 0; count < 3; count += 1) claims.push(await flow.claim(item))
    const other = await servers.direct(servers.replica)
    await eventually(
      async () => (await other.commands.hget(keyOf(item, 'stock'), 'available')) === '7',
      10_000,
    )
    await other.close()
    await cutOff(servers)
    // One more reaches SQL; two are acknowledged, and known to the old master alone.
    claims.push(await flow.claim(item))
    await flow.deliver(item)
    const lost = [await flow.claim(item), await flow.claim(item)]
    const before = app.redis.runId()
    await servers.master.kill9()
    thaw(servers.replica.pid)

    await eventually(() => ![undefined, before].includes(app.redis.runId()), 60_000)
    expect(await flow.claim(item).then(() => '', String)).toContain('fenced')
    expect(await app.reconcile.fenced()).toEqual([item])
    expect(await app.reconcile.item(item)).toMatchObject({ outcome: 'repaired', drift: 1 })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 6, held: 4, sold: 0 })
    for (const claim of lost) {
      const restored = await app.claiming.restore(claim.user_id, receiptOf(app, claim))
      expect(restored).toMatchObject({ kind: 'claimed', order_id: claim.order_id, status: 'PROCESSING' })
      claims.push(claim)
    }
    while ((await app.inventory.stock(item))?.available) claims.push(await flow.claim(item))
    await flow.deliver(item)
    const rows = (await app.orders.forItem(item)).map(({ order_id }) => order_id)
    expect(rows.toSorted()).toEqual(claims.map(({ order_id }) => order_id).toSorted())
    expect(rows).toHaveLength(10)

    // The old master is back; nobody asks it, whatever it takes itself for.
    const current = app.redis.runId()
    await servers.master.restart()
    expect(app.redis.runId()).toBe(current as string)
    expect(await app.reconcile.item(item)).toMatchObject({ outcome: 'clean' })
  })
  await servers.stop()
})

test('a master without its replica takes no claim, so nothing is sold on both sides of a partition', async () => {
  const settings = {
    'min-replicas-to-write': '1',
    // A replica tells every second how far it is: less than 3 s would refuse on a busy machine for no reason.
    'min-replicas-max-lag': '3',
    'repl-ping-replica-period': '1',
  }
  const servers = await startTestReplicas({ sentinels: 0, settings })
  const [ours, theirs] = [await servers.direct(servers.master), await servers.direct(servers.replica)]
  const here = createInventory({ redis: ours })
  expect(await here.load(itemOf('tv', { total: 1_000_000 }))).toBe('loaded')
  expect((await here.claim(claimOf('tv'))).kind).toBe('reserved')
  // What it has not heard of it could not be fenced off.
  await eventually(async () => (await theirs.commands.hget(keyOf('tv', 'stock'), 'held')) === '1', 10_000)
  // The replica is on the other side; we still reach the master.
  freeze(servers.replica.pid)
  const refused = () =>
    here.claim(claimOf('tv')).then(
      () => false,
      (error: unknown) => error instanceof InventoryUnavailable,
    )
  await eventually(refused, 15_000)
  thaw(servers.replica.pid)
  await eventually(() => theirs.runId() !== undefined, 15_000)
  await theirs.commands.call('REPLICAOF', 'NO', 'ONE')
  const there = createInventory({ redis: theirs })
  expect(await there.claim(claimOf('tv'))).toEqual({ kind: 'fenced' })
  // The new master takes nothing either until it has a replica of its own; here the setting stands for one.
  await theirs.commands.config('SET', 'min-replicas-to-write', '0')
  const { epoch = 0 } = (await there.stock('tv')) ?? {}
  expect(await there.adopt('tv', epoch)).toBe('adopted')
  expect((await there.claim(claimOf('tv'))).kind).toBe('reserved')
  await eventually(refused, 15_000)
  await Promise.all([ours.close(), theirs.close()])
  await servers.stop()
})

test('an empty master empties its replica: nothing is sold until both have it from SQL again', async () => {
  const servers = await startTestReplicas({ sentinels: 0 })
  const { master, replica } = servers
  const url = `redis://:${encodeURIComponent(REPLICATED_PASSWORD)}@127.0.0.1:${master.port}`
  await withApp(url, async (app) => {
    const flow = actions(app)
    const item = await flow.newItem(10)
    const claim = await flow.pending(item)
    const before = app.redis.runId()
    await master.kill9()
    await loseFolder(master)
    await master.restart()
    await eventually(() => ![undefined, before].includes(app.redis.runId()), 15_000)
    const other = await servers.direct(replica)
    await eventually(async () => (await other.commands.dbsize()) === 0, 20_000)
    expect(await flow.claim(item).then(() => '', String)).toContain('unloaded')
    expect(await app.reconcile.item(item)).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
    expect(await app.inventory.findClaim(item, claim.order_id)).toBeDefined()
    await eventually(
      async () => (await other.commands.hget(keyOf(item, 'stock'), 'available')) === '9',
      20_000,
    )
    await other.close()
  })
  await servers.stop()
})
