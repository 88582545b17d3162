/**
 * Proof of work on the server: a challenge made and a solution checked, ours (synchronous) beside altcha-lib (async,
 * WebCrypto), in turns in one process. And what a browser's search costs: our solver beside WebCrypto.
 * Times are of the processor (user and system), so that a busy machine does not count.
 * Run: bun bench/proof-of-work.ts
 */
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/sha'
import { createProofOfWork, deviceHash } from '../src/guard/proof-of-work.ts'
import { createNonces } from '../src/guard/single-use.ts'
import { systemClock } from '../src/platform/clock.ts'
import { solve } from '../web/waiting-room/solve.ts'

const ROUNDS = 5
const CALLS = 4000
const HASHES = 300_000

const work = createProofOfWork({
  secret: Buffer.alloc(32, 1),
  clock: systemClock,
  nonces: createNonces(systemClock),
})
const whose = { sale: 'bench', device: 'device' }
const challenge = work.create({ ...whose, hashes: 100, lifetime_s: 600 })
const found = solve(challenge)
if (found === undefined) throw new Error('not solved')
const payload = { challenge, solution: { counter: found.counter, derivedKey: found.derivedKey } }
const encoded = Buffer.from(JSON.stringify(payload)).toString('base64')
const data = { device: deviceHash('device'), hashes: 100, issued_at: Date.now(), sale: 'bench' }
const signing = { deriveKey, hmacSignatureSecret: work.keyText }

const candidates: Record<string, () => unknown> = {
  'create, ours': () => work.create({ ...whose, hashes: 100, lifetime_s: 600 }),
  'create, altcha-lib': () =>
    createChallenge({
      ...{ ...signing, algorithm: 'SHA-256', cost: 1, counter: 77, data },
      expiresAt: new Date(Date.now() + 600_000),
    }),
  'check, ours': () => work.check({ ...whose, payload }),
  'check, ours, from base64': () => work.check({ ...whose, payload: encoded }),
  'check, altcha-lib': () => verifySolution({ ...payload, ...signing }),
}

/** Microseconds of processor time a call. */
async function cost(calls: number, call: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  for (let n = 0; n < calls; n++) {
    const result = call()
    if (result instanceof Promise) await result
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / calls
}

const costs = new Map<string, number[]>()
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, call] of Object.entries(candidates)) {
    const micros = await cost(CALLS, call)
    // The first round warms up.
    if (round > 0) costs.set(name, [...(costs.get(name) ?? []), micros])
  }
const median = (name: string) => costs.get(name)?.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN
for (const name of Object.keys(candidates))
  console.log(`${name.padEnd(26)} ${median(name).toFixed(1).padStart(6)} us`)
const ratio = (what: string) => (median(`${what}, altcha-lib`) / median(`${what}, ours`)).toFixed(1)
console.log(`altcha-lib / ours          create ${ratio('create')}, check ${ratio('check')}`)

// A prefix that nothing meets: the solver tries exactly this many counters.
const endless = { ...challenge.parameters, keyPrefix: '0'.repeat(64) }
const search = () => solve({ parameters: endless }, { start: 0xffffffff - HASHES })
search()
const block = new Uint8Array(36)
const ours = (await cost(3, search)) / HASHES
const webCrypto = await cost(HASHES / 10, () => crypto.subtle.digest('SHA-256', block))
const rate = (micros: number) => `${(1 / micros).toFixed(2)} million hashes per core and second`
console.log(`solver, ours               ${rate(ours)}`)
console.log(`WebCrypto                  ${rate(webCrypto)} (of this runtime; Node's does a tenth)`)
