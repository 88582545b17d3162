import { join } from 'node:path'
import { z } from 'zod'
import { type Env, environment } from './config.ts'
import { SettingError } from './errors.ts'
import type { EdgeOptions } from './servers/edge-config.ts'
import { httpUrl, list, onUnlessOff } from './setting-shapes.ts'
import { readTheme } from './theme/theme.ts'

const ORIGIN = z.string().regex(/^[\w.-]+:\d{1,5}$/, 'each must be host:port of a web process')

const Environment = z.object({
  EDGE_HOST: z.ipv4().default('127.0.0.1'),
  EDGE_PORT: z.coerce.number().int().min(1).max(65_535),
  EDGE_ORIGINS: list.pipe(
    z.array(ORIGIN).min(1, 'it must be host:port of web processes, separated by commas'),
  ),
  EDGE_REAL_IP_FROM: list.pipe(
    z.array(
      z.union(
        [z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()],
        'each must be an address or a range of addresses',
      ),
    ),
  ),
  EDGE_ACCESS_LOG: onUnlessOff,
  SHOP_URL: httpUrl,
  QUEUE_URL: httpUrl,
  OPS_URL: httpUrl,
  DATA_DIR: z.string().default('.data'),
  THEME_FILE: z
    .string()
    .optional()
    .transform((path) => path || undefined),
})

/** Names of all there is. */
export const EDGE_SETTINGS: readonly string[] = Object.keys(Environment.shape)

/** What the edge needs to know. Throws SettingError naming the setting and what it should be. */
export function readEdgeSettings(env: Env = environment()): EdgeOptions & { readonly dir: string } {
  const parsed = Environment.safeParse(env)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new SettingError(`The setting ${String(issue?.path[0])} is not valid: ${issue?.message}`)
  }
  const { EDGE_HOST, EDGE_PORT, EDGE_ORIGINS, SHOP_URL, QUEUE_URL, OPS_URL, DATA_DIR, THEME_FILE } =
    parsed.data
  const { EDGE_REAL_IP_FROM: realIpFrom, EDGE_ACCESS_LOG: accessLog } = parsed.data
  const origin = (url: string) => new URL(url).origin
  return {
    host: EDGE_HOST,
    port: EDGE_PORT,
    origins: EDGE_ORIGINS,
    ...{ realIpFrom, accessLog },
    urls: { shop: origin(SHOP_URL), queue: origin(QUEUE_URL), ops: origin(OPS_URL) },
    theme: readTheme(THEME_FILE),
    dir: join(DATA_DIR, 'edge'),
  }
}
