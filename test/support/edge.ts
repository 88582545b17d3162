/** The real nginx with the real configuration, in front of an origin that a test makes. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWireClient, type WireClient } from '../../sim/wire/client.ts'
import { environment } from '../../src/platform/config.ts'
import type { EdgeOptions } from '../../src/platform/servers/edge-config.ts'
import { startEdge } from '../../src/platform/servers/edge.ts'
import { readTheme } from '../../src/platform/theme/theme.ts'
import { freePort } from '../../src/platform/servers/ports.ts'
import { type HostName, URLS } from './app.ts'

const NGINX = Bun.which('nginx') ?? ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(existsSync)

/** Whether to leave the tests of the edge out because there is no nginx: never silently, and never in CI. */
export function skipLoudly(): boolean {
  const skip = NGINX === undefined && environment()['CI'] !== 'true'
  if (skip)
    process.stderr.write('\n!!! No nginx: the tests of the edge are SKIPPED. apt-get install nginx\n\n')
  return skip
}

export interface EdgeAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** `Cache-Status`: where it came from. */
  readonly cache: string | null
}

export interface TestEdge {
  readonly port: number
  readonly folder: string
  fetch(host: HostName | 'elsewhere', path: string, init?: RequestInit): Promise<Response>
  send(host: HostName | 'elsewhere', path: string, init?: RequestInit): Promise<EdgeAnswer>
  /** Over few connections, from an address of its own in 127.0.0.0/8. */
  wire(connections: number, from?: string): WireClient
  stop(): Promise<void>
}

export async function startTestEdge(
  origins: readonly number[],
  change: Partial<EdgeOptions> = {},
): Promise<TestEdge> {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-edge-'))
  const port = await freePort()
  const edge = await startEdge({
    ...{ dir, port, host: '127.0.0.1', urls: URLS, theme: readTheme() },
    origins: origins.map((origin) => `127.0.0.1:${origin}`),
    ...change,
  })
  const ask: TestEdge['fetch'] = (host, path, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('Host', host === 'elsewhere' ? '127.0.0.1' : new URL(URLS[host]).host)
    return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init, headers })
  }
  return {
    port,
    folder: edge.folder,
    fetch: ask,
    send: async (...call) => {
      const { status, headers, text } = await ask(...call).then(async (answer) => ({
        status: answer.status,
        headers: answer.headers,
        text: await answer.text(),
      }))
      return { status, headers, text, cache: headers.get('cache-status') }
    },
    wire: (connections, from) =>
      createWireClient({
        ...{ address: '127.0.0.1', port, connections, timeoutMs: 20_000 },
        ...(from === undefined ? {} : { from }),
      }),
    stop: async () => {
      await edge.stop(300)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Moments (ms) by the second they are in: how many requests an origin had in the busiest one. */
export function mostInASecond(moments: readonly number[]): number {
  const counts = Map.groupBy(moments, (moment) => Math.floor(moment / 1000))
  return Math.max(0, ...[...counts.values()].map(({ length }) => length))
}
