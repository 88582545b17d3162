import type { z } from 'zod'
import { SaleWithProducts } from '../src/contracts/http.ts'
import { OperatorSale } from '../src/contracts/sale-editing-http.ts'
import { SettingError } from '../src/platform/errors.ts'
import { readRunFile, readSecrets, type RunFile } from '../src/platform/servers/data-dir.ts'

export type SaleInfo = z.infer<typeof SaleWithProducts>
export type NewSaleBody = Readonly<Record<string, unknown>> & { readonly id: string }

/** The running system as an outsider with the operator's token sees it. */
export interface Target {
  readonly run: RunFile
  readonly dataDir: string
  /** False once the system was stopped; one of its processes being away for a moment does not count. */
  stillRuns(): boolean
  /** Where the web process listens, and the names it answers to there. */
  readonly address: string
  readonly port: number
  readonly hosts: { readonly shop: string; readonly queue: string; readonly ops: string }
  /** Plain HTTP for the few requests that are not the load. Throws where nothing answers. */
  fetch(host: 'shop' | 'queue' | 'ops', path: string, init?: RequestInit): Promise<Response>
  createSale(body: NewSaleBody): Promise<SaleInfo>
  sale(id: string): Promise<SaleInfo>
  /** Settings of its guard, as they were given. */
  guard(id: string): Promise<Record<string, unknown>>
  setGuard(id: string, guard: object): Promise<void>
}

const NOT_RUNNING = 'Doorbuster is not running here: start it with `npm start`, then try again'

/** Finds what runs in the data folder. Throws SettingError, in one line, where nothing does. */
export async function findTarget(dataDir: string): Promise<Target> {
  const run = readRunFile(dataDir)
  if (run === undefined) throw new SettingError(NOT_RUNNING)
  const address = '127.0.0.1'
  const hostOf = (url: string) => new URL(url).host
  const hosts = {
    shop: hostOf(run.urls.shop),
    queue: hostOf(run.urls.queue),
    ops: hostOf(run.urls.ops),
  }
  const token = readSecrets(dataDir)['OPS_TOKEN'] ?? ''

  const send: Target['fetch'] = (host, path, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('Host', hosts[host])
    if (host === 'ops') headers.set('Authorization', `Bearer ${token}`)
    return fetch(`http://${address}:${run.port}${path}`, {
      signal: AbortSignal.timeout(10_000),
      ...init,
      headers,
    })
  }
  const ready = await send('shop', '/readyz').catch(() => undefined)
  if (ready === undefined) throw new SettingError(NOT_RUNNING)
  if (!ready.ok) throw new SettingError(`Doorbuster is not ready (${ready.status}): ${await ready.text()}`)

  return {
    run,
    dataDir,
    stillRuns: () => readRunFile(dataDir) !== undefined,
    address,
    port: run.port,
    hosts,
    fetch: send,
    createSale: async (body) => {
      const answer = await send('ops', '/api/operator/sales', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (answer.status !== 201) throw new SettingError(`The sale was not created: ${await describe(answer)}`)
      return SaleWithProducts.parse(await answer.json())
    },
    guard: async (id) => {
      const answer = await send('ops', `/api/operator/sales/${encodeURIComponent(id)}`)
      if (!answer.ok) throw new SettingError(`The sale can not be read: ${await describe(answer)}`)
      return OperatorSale.parse(await answer.json()).guard
    },
    setGuard: async (id, guard) => {
      const answer = await send('ops', `/api/operator/sales/${encodeURIComponent(id)}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ guard, reason: 'a simulated crowd (npm run rush)' }),
      })
      if (!answer.ok) throw new SettingError(`The guard was not switched off: ${await describe(answer)}`)
    },
    sale: async (id) => {
      const answer = await send('shop', `/api/sales/${encodeURIComponent(id)}`)
      if (answer.status === 404) throw new SettingError(`There is no sale ${id}`)
      if (!answer.ok) throw new SettingError(`The sale can not be read: ${await describe(answer)}`)
      return SaleWithProducts.parse(await answer.json())
    },
  }
}

async function describe(answer: Response): Promise<string> {
  const text = await answer.text()
  try {
    const { code, detail, title } = JSON.parse(text) as Record<string, string | undefined>
    return `${answer.status} ${code}: ${detail ?? title}`
  } catch {
    return `${answer.status} ${text.slice(0, 200)}`
  }
}
