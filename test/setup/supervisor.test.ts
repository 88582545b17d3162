import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { withClient } from '../../src/platform/migrate.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { isRunning, readPidFile, signalProcess } from '../../src/platform/servers/os-process.ts'
import { openFolder, portPair, removeFolder, Started, until } from './started.ts'

// One data folder for all: initdb runs once, and each test also shows that a start finds what the last one left.
let dataDir: string
let port: number
let started: Started | undefined
const start = (options?: ConstructorParameters<typeof Started>[2]) =>
  (started = new Started(dataDir, port, options))

beforeAll(async () => {
  dataDir = await openFolder()
  port = await portPair()
})
afterEach(async () => {
  await started?.stop()
})
afterAll(() => removeFolder(dataDir))

describe('start', () => {
  test('runs everything, says where, and a Ctrl-C that arrives twice ends all of it with code 0', async () => {
    const system = start()
    const run = await system.ready()
    expect(run).toMatchObject({ pid: system.pid, port, profile: 'embedded', kafka_brokers: [] })
    expect(run.urls).toEqual({
      shop: `http://shop.localhost:${port}`,
      queue: `http://queue.localhost:${port}`,
      ops: `http://ops.localhost:${port}`,
      stripe_sandbox: `http://127.0.0.1:${port + 1}`,
      mailbox: `http://127.0.0.1:${port + 1}/mailbox`,
      paypal_sandbox: `http://127.0.0.1:${port + 1}/paypal`,
    })
    expect(run.database_urls).toHaveLength(2)
    expect(Object.keys(run.processes).sort()).toEqual(['cleanup', 'order-worker', 'sandbox', 'web'])
    expect(system.output).toContain(`http://shop.localhost:${port}/`)
    expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'run.json')).mode & 0o777).toBe(0o600)

    const pids = system.pids()
    expect(pids).toHaveLength(6)
    system.process.kill('SIGINT') // the terminal's; `stop` sends npm's
    const { code, ms } = await system.stop()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    expect(Started.anyLeft(pids)).toEqual([])
    expect(system.has('run.json')).toBe(false)
  }, 30_000)

  test('finds its data and secrets again, also after the supervisor was killed', async () => {
    const first = start()
    const before = await first.ready()
    const secrets = readFileSync(join(dataDir, 'secrets.json'), 'utf8')
    await withClient(before.database_urls[1] ?? '', (sql) => sql.query('CREATE TABLE kept AS SELECT 42 AS n'))
    const redis = await connectRedis({ url: before.redis_url })
    await redis.commands.set('kept', '42')
    redis.commands.disconnect()
    const pids = first.pids()
    expect((await first.stop('SIGKILL')).code).not.toBe(0)

    const second = start()
    const after = await second.ready()
    expect(Started.anyLeft(pids)).toEqual([])
    expect(readFileSync(join(dataDir, 'secrets.json'), 'utf8')).toBe(secrets)
    const rows = await withClient(after.database_urls[1] ?? '', (sql) => sql.query('SELECT n FROM kept'))
    expect(rows.rows).toEqual([{ n: 42 }])
    const again = await connectRedis({ url: after.redis_url })
    expect(await again.commands.get('kept')).toBe('42')
    again.commands.disconnect()
  }, 40_000)

  test('Ctrl-C in the middle of a start ends what has come up so far', async () => {
    const system = start()
    const redis = await until('Redis', () => readPidFile(join(dataDir, 'redis/redis.pid')))
    const { code, ms } = await system.stop()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    expect(system.output).toBe('')
    expect(Started.anyLeft([redis, ...system.pids()])).toEqual([])
  }, 30_000)

  test('a second one in the same folder is refused and does not disturb the first', async () => {
    const system = start()
    await system.ready()
    const second = new Started(dataDir, await portPair(), { fresh: true })
    expect(await second.exit).toBe(1)
    expect(second.output).toBe(`Doorbuster is already running here (pid ${system.pid}, port ${port})\n`)
    expect(Started.anyLeft(system.pids())).toHaveLength(6)
  }, 30_000)

  test('a taken port is one line and exit code 1, before anything is started', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const system = start()
    expect(await system.exit).toBe(1)
    expect(system.output).toBe(`Port ${port} is taken; choose another with --port\n`)
    expect(Started.anyLeft(system.pids())).toEqual([])
    other.close()
  })

  test('--fresh starts empty but keeps downloaded jars and files that are not ours', async () => {
    const before = start()
    await before.ready()
    await before.stop()
    const secrets = readFileSync(join(dataDir, 'secrets.json'), 'utf8')
    mkdirSync(join(dataDir, 'kafka/libs'), { recursive: true })
    for (const file of ['kafka/libs/a.jar', 'kafka/server.properties', 'notes.txt'])
      writeFileSync(join(dataDir, file), '')
    const system = start({ fresh: true })
    const run = await system.ready()
    expect(readFileSync(join(dataDir, 'secrets.json'), 'utf8')).not.toBe(secrets)
    const tables = await withClient(run.database_urls[1] ?? '', (sql) =>
      sql.query(`SELECT 1 FROM pg_tables WHERE tablename = 'kept'`),
    )
    expect(tables.rows).toEqual([])
    expect(system.has('kafka/libs/a.jar')).toBe(true)
    expect(system.has('notes.txt')).toBe(true)
    expect(system.has('kafka/server.properties')).toBe(false)
  }, 40_000)
})

describe('a process', () => {
  test('that is killed is started again and run.json tells its new pid', async () => {
    const system = start()
    const { processes } = await system.ready()
    const killed = processes['order-worker'] ?? 0
    signalProcess(killed, 'SIGKILL')
    const next = await until('a new order-worker', () => {
      const pid = system.run()?.processes['order-worker']
      return pid !== killed && pid !== undefined && isRunning(pid) && pid
    })
    expect(next).not.toBe(killed)
    expect(system.output).toContain(
      'order-worker ended unexpectedly (SIGKILL); starting it again in 100 ms\n',
    )
    expect(system.run()?.processes['web']).toBe(processes['web'] ?? 0)
  }, 30_000)

  test('with a bad setting ends the start with its one line and exit code 1', async () => {
    const system = start({ env: { WEB_FAULT: 'setting' } })
    expect(await system.exit).toBe(1)
    expect(system.output).toBe('COLOUR is missing: red or green\n')
    expect(Started.anyLeft(system.pids())).toEqual([])
  }, 30_000)

  test('that does not end is killed: the whole stop stays within 5 s', async () => {
    const system = start({ env: { WEB_FAULT: 'hang' } })
    await system.ready()
    const pids = system.pids()
    const { code, ms } = await system.stop('SIGTERM')
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    expect(system.output).toContain('web did not end within')
    expect(Started.anyLeft(pids)).toEqual([])
  }, 30_000)

  test('has its output in a log of its own, and its warnings on the terminal', async () => {
    const system = start({ env: { WEB_FAULT: 'warn' } })
    await system.ready()
    await until('the warning', () => system.output.includes('web: warning: paint is wet\n'))
    // The file is written by a stream of its own, perhaps a moment later.
    const log = () => readFileSync(join(dataDir, 'logs/web.log'), 'utf8')
    await until('the log', () => log().includes('"msg":"paint is wet"'))
  }, 30_000)
})
