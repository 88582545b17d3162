import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'bun:test'
import { readEdgeSettings } from '../../src/platform/edge-settings.ts'
import { skipLoudly, startTestEdge } from '../support/edge.ts'
import { startScriptedOrigin } from '../support/scripted-origin.ts'

// Where a proxy of ours ends TLS in front of the edge: it is believed who the visitor is, and nobody else is.

test.skipIf(skipLoudly())('a proxy of ours tells the visitor, the visitor does not', async () => {
  const origin = startScriptedOrigin()
  // Ours are 127.0.0.1 and, further out, 10.1.0.0/16.
  const edge = await startTestEdge([origin.port], {
    ...{ realIpFrom: ['127.0.0.1', '10.1.0.0/16'], accessLog: false },
  })
  try {
    const ask = async (forwarded: string, from?: string) => {
      const wire = edge.wire(1, from)
      const path = '/api/session'
      await wire.send({
        method: 'GET',
        host: 'shop.localhost',
        path,
        headers: { 'X-Forwarded-For': forwarded },
      })
      wire.close()
      return origin.asked.at(-1)?.headers.get('x-forwarded-for')
    }
    expect(await ask('203.0.113.9')).toBe('203.0.113.9')
    // What stands before the last one that is not ours was written by the visitor.
    expect(await ask('198.51.100.7, 203.0.113.9, 10.1.2.3')).toBe('203.0.113.9')
    expect(await ask('203.0.113.9', '127.0.7.9')).toBe('127.0.7.9')
    expect(existsSync(join(edge.folder, 'access.log'))).toBe(false)
  } finally {
    await edge.stop()
    await origin.stop()
  }
})

test('addresses and ranges are taken, anything else is named', () => {
  const urls = { SHOP_URL: 'http://a.test', QUEUE_URL: 'http://b.test', OPS_URL: 'http://c.test' }
  const env = { ...urls, EDGE_PORT: '80', EDGE_ORIGINS: 'web:8080' }
  expect(readEdgeSettings(env)).toMatchObject({ realIpFrom: [], accessLog: true })
  const read = readEdgeSettings({
    ...env,
    EDGE_REAL_IP_FROM: '10.0.0.0/8, ::1,fd00::/8',
    EDGE_ACCESS_LOG: '0',
  })
  expect(read).toMatchObject({ realIpFrom: ['10.0.0.0/8', '::1', 'fd00::/8'], accessLog: false })
  for (const wrong of ['everybody', '10.0.0.0/8; evil', '10.0.0.0/99'])
    expect(() => readEdgeSettings({ ...env, EDGE_REAL_IP_FROM: wrong })).toThrow('EDGE_REAL_IP_FROM')
})
