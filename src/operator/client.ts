import type { z } from 'zod'
import type { SaleWithProducts } from '../contracts/http.ts'
import type { DriftReport, NewSale, ReconcileRun } from '../contracts/operator-http.ts'
import type { OversellAnswer, OversellPlan, OversoldItem } from '../contracts/oversell-http.ts'
import { PROBLEMS, type ProblemBody } from '../contracts/problems.ts'
import { SettingError } from '../platform/errors.ts'
import { readRunFile, readSecrets } from '../platform/servers/data-dir.ts'

/** Where a running system is and the operator's token for it. */
export interface OperatorAccess {
  readonly port: number
  /** Public origin of the operator's host; it goes into the Host header. */
  readonly opsUrl: string
  readonly token: string
}

/** The operator's API refused; `message` says what and what to do, in one line. */
export class Refused extends SettingError {
  readonly code: string

  constructor({ code, title, detail }: Partial<ProblemBody>) {
    super([title ?? PROBLEMS.internal.title, detail].filter(Boolean).join(': '))
    this.code = code ?? 'internal'
  }
}

export type SaleView = z.infer<typeof SaleWithProducts>

/** The operator's API as the command line and the demo use it. Throws Refused for a problem answer. */
export interface OperatorClient {
  createSale(sale: z.input<typeof NewSale>): Promise<SaleView>
  command(sale: string, name: 'open' | 'pause' | 'resume' | 'end', reason: string): Promise<SaleView>
  /** A picture for a product: the bytes of a file. */
  setPicture(item: string, picture: Uint8Array, alt: string, reason: string): Promise<void>
  reconcile(reason: string, item?: string): Promise<{ runs: z.infer<typeof ReconcileRun>[] }>
  drift(item: string): Promise<z.infer<typeof DriftReport>>
  setUnits(item: string, units: number, reason: string): Promise<z.infer<typeof ReconcileRun>>
  split(item: string, parts: number, reason: string): Promise<z.infer<typeof ReconcileRun>>
  oversold(): Promise<{ items: z.infer<typeof OversoldItem>[] }>
  oversell(item: string): Promise<z.infer<typeof OversellAnswer>>
  approve(item: string, hash: string, reason: string): Promise<z.infer<typeof OversellPlan>>
}

/** The system that runs in a data folder. Throws SettingError, in one line, where nothing does. */
/** `token`: of the person who gives the command; that of `operator` where it is left out. */
export function connectRunning(dataDir: string, token?: string): OperatorClient {
  const run = readRunFile(dataDir)
  if (run === undefined)
    throw new SettingError('Doorbuster is not running here: start it with `npm start`, then try again')
  const used = token ?? readSecrets(dataDir)['OPS_TOKEN'] ?? ''
  return connectOperator({ port: run.port, opsUrl: run.urls.ops, token: used })
}

export function connectOperator({ port, opsUrl, token }: OperatorAccess): OperatorClient {
  const send = async <Answer>(path: string, method: string, body?: BodyInit, type = 'application/json') => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/operator/${path}`, {
      method,
      signal: AbortSignal.timeout(30_000),
      headers: { Host: new URL(opsUrl).host, Authorization: `Bearer ${token}`, 'Content-Type': type },
      ...(body === undefined ? {} : { body }),
    })
    const value: unknown = await answer.json()
    if (!answer.ok) throw new Refused(value as Partial<ProblemBody>)
    return value as Answer
  }
  const call = <Answer>(path: string, body?: object, method = 'POST') =>
    send<Answer>(path, method, body && JSON.stringify(body))
  return {
    createSale: (sale) => call('sales', sale),
    command: (sale, name, reason) => call(`sales/${encodeURIComponent(sale)}/${name}`, { reason }),
    setPicture: async (item, picture, alt, reason) => {
      const query = new URLSearchParams({ alt, reason })
      const path = `products/${encodeURIComponent(item)}/picture?${query.toString()}`
      // What it is is read from its bytes, whatever is said here.
      await send(path, 'PUT', picture as Uint8Array<ArrayBuffer>, 'image/webp')
    },
    reconcile: (reason, item) =>
      call('reconcile', { reason, ...(item === undefined ? {} : { item_id: item }) }),
    drift: (item) => call(`items/${encodeURIComponent(item)}/drift`, undefined, 'GET'),
    setUnits: (item, units, reason) =>
      call(`items/${encodeURIComponent(item)}/units`, { units, reason }, 'PUT'),
    split: (item, parts, reason) => call(`items/${encodeURIComponent(item)}/parts`, { parts, reason }, 'PUT'),
    oversold: () => call('oversold', undefined, 'GET'),
    oversell: (item) => call(`items/${encodeURIComponent(item)}/oversell`, undefined, 'GET'),
    approve: (item, hash, reason) =>
      call(`items/${encodeURIComponent(item)}/oversell/approve`, { hash, reason }),
  }
}
