import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createInventory,
  InventoryUnavailable,
  InventoryUnknown,
} from '../../src/flow/inventory/inventory.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { type Claim, type Flow, startFlow } from '../support/flow.ts'
import { claimOf, itemOf } from '../support/inventory.ts'
import { startTestRedis } from '../support/redis.ts'
import { cutTail, failingSync, loseFolder } from '../support/redis-faults.ts'
import { eventually } from '../support/stripe.ts'

setDefaultTimeout(60_000)

describe('what a Redis has on its disk is not what it said', () => {
  let flow: Flow
  let item: string
  beforeAll(async () => void (flow = await startFlow()))
  afterAll(() => flow[Symbol.asyncDispose]())
  beforeEach(async () => void (item = await flow.newItem(10)))

  const diesAnd = async (harm: () => Promise<void>) => {
    const before = flow.app.redis.runId()
    await flow.server.kill9()
    await harm()
    await flow.server.restart()
    await eventually(() => ![undefined, before].includes(flow.app.redis.runId()), 15_000)
  }
  const refusal = () => flow.claim(item).then(() => 'sold', String)

  test('the tail of its file is cut: stock had risen again, and what SQL knows is put back before anything sells', async () => {
    const claims: Claim[] = []
    for (let count = 0; count < 4; count += 1) claims.push(await flow.pending(item))
    // Some whole claims, and a half one.
    await diesAnd(() => cutTail(flow.server, 2500))
    expect((await flow.counts(item)).available).toBeGreaterThan(6)
    expect(await refusal()).toContain('fenced')
    expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 6, held: 4, sold: 0 })
    for (const { order_id } of claims)
      expect(await flow.app.inventory.findClaim(item, order_id)).toMatchObject({ order_id })
    expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'clean' })
  })

  test('its folder is gone: it sells nothing until it is rebuilt', async () => {
    await flow.pending(item)
    await diesAnd(() => loseFolder(flow.server))
    expect(await refusal()).toContain('unloaded')
    expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
    await flow.claim(item)
  })
})

/** A folder on a disk of so many MB; undefined, after a loud line, where we may not make one. With CI=true an error. */
async function smallDisk(megabytes: number): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-small-disk-'))
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', dir])
  if (status === 0) return dir
  await rm(dir, { recursive: true })
  if (process.env['CI'] === 'true') throw new Error(`no small disk: ${stderr.toString()}`)
  process.stderr.write(`\n*** SKIPPING THE FULL DISK: ${stderr.toString().trim()} ***\n\n`)
  return undefined
}

const disk = await smallDisk(8)
afterAll(async () => {
  if (disk === undefined) return
  spawnSync('umount', ['-l', disk])
  await rm(disk, { recursive: true, force: true })
})

test.skipIf(disk === undefined)(
  'a full disk: Redis ends rather than say yes; every yes is there when there is room again',
  async () => {
    const dir = disk ?? ''
    const server = await startTestRedis({ appendfsync: 'always', dir })
    const redis = await connectRedis({ url: server.url })
    const inventory = createInventory({ redis })
    await inventory.load(itemOf('tv', { total: 1_000_000 }))
    const { epoch = 0 } = (await inventory.stock('tv')) ?? {}
    const ballast = join(dir, 'ballast')
    await writeFile(ballast, Buffer.alloc(6 * 1024 * 1024))
    const said: string[] = []
    let failure: unknown
    while (failure === undefined) {
      const batch = Array.from({ length: 64 }, () => claimOf('tv'))
      await Promise.all(
        batch.map((request) =>
          inventory.claim(request).then(
            ({ kind }) => void (kind === 'reserved' && said.push(request.order_id)),
            (error: unknown) => void (failure ??= error),
          ),
        ),
      )
    }
    expect(said.length).toBeGreaterThan(500)
    expect(failure instanceof InventoryUnknown || failure instanceof InventoryUnavailable).toBe(true)
    await eventually(() => redis.runId() === undefined, 10_000)
    expect(await inventory.claim(claimOf('tv')).catch((error: unknown) => error)).toBeInstanceOf(
      InventoryUnavailable,
    )

    await rm(ballast)
    await server.restart()
    await eventually(() => redis.runId() !== undefined, 15_000)
    expect(await inventory.claim(claimOf('tv'))).toEqual({ kind: 'fenced' })
    const held = new Set((await inventory.holds('tv')).map(({ order_id }) => order_id))
    expect(said.filter((order) => !held.has(order))).toEqual([])
    expect(await inventory.adopt('tv', epoch)).toBe('adopted')
    expect((await inventory.claim(claimOf('tv'))).kind).toBe('reserved')
    await redis.close()
    await server.stop()
  },
)

const sync = await failingSync()
afterAll(async () => void (sync && (await rm(sync.dir, { recursive: true, force: true }))))

test.skipIf(sync === undefined)(
  'a sync that fails: Redis ends without an answer, and the same id tells what became of it',
  async () => {
    const { trigger = '', env = {} } = sync ?? {}
    const server = await startTestRedis({ appendfsync: 'always', env })
    const redis = await connectRedis({ url: server.url })
    const inventory = createInventory({ redis })
    await inventory.load(itemOf('tv'))
    const before = claimOf('tv')
    expect((await inventory.claim(before)).kind).toBe('reserved')
    await writeFile(trigger, '')
    const request = claimOf('tv')
    expect(await inventory.claim(request).catch((error: unknown) => error)).toBeInstanceOf(InventoryUnknown)
    await eventually(() => redis.runId() === undefined, 10_000)
    await rm(trigger)
    await server.restart()
    await eventually(() => redis.runId() !== undefined, 15_000)
    expect(await inventory.adopt('tv', 1)).toBe('adopted')
    expect((await inventory.claim(before)).kind).toBe('repeated')
    // It had been written, or not: either way it is there once.
    expect(['reserved', 'repeated']).toContain((await inventory.claim(request)).kind)
    expect(await inventory.stock('tv')).toMatchObject({ available: 8, held: 2 })
    await redis.close()
    await server.stop()
  },
)
