import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { directionOf } from '../../contracts/words/say.ts'
import { Problem } from '../errors.ts'
import { projectPath } from '../project.ts'
import type { Theme } from '../theme/theme.ts'

export interface EdgeOptions {
  /** Where it listens: an IPv4 address. */
  readonly host: string
  readonly port: number
  /** `host:port` of each web process behind it. */
  readonly origins: readonly string[]
  /** Proxies of ours in front (addresses or ranges), which are believed who the visitor is; usually none. */
  readonly realIpFrom?: readonly string[]
  /** Whether there is an access log; yes, unless told otherwise. */
  readonly accessLog?: boolean
  /** Public origins as visitors write them, without a trailing slash. */
  readonly urls: { readonly shop: string; readonly queue: string; readonly ops: string }
  readonly theme: Pick<Theme, 'speakers' | 'css'>
}

interface Place {
  /** Where it runs: absolute, short enough for a socket in it. */
  readonly folder: string
  /** Files it may have open at a time. */
  readonly openFiles: number
}

/** Seconds after which the edge's own refusals say to come back. */
const RETRY_S = 5
/** nginx puts the id in: one for the edge's log, the origin's log and the answer. */
const REQUEST_ID = '$request_id'

const REFUSALS = {
  bad_request: new Problem('bad_request', 'The request or one of its headers can not be read.'),
  not_found: new Problem('not_found'),
  method_not_allowed: new Problem('method_not_allowed'),
  body_too_large: new Problem('body_too_large', 'Send less.'),
  rate_limited: new Problem('rate_limited', `Too much comes from your address; wait ${RETRY_S} seconds.`),
  unavailable: new Problem('unavailable', 'Try again in a few seconds.'),
}

/**
 * The files of the edge by their path in its folder: `edge/*.conf` with the holes filled, the page for the moments when
 * nobody is behind it, in each language. Throws RangeError where a hole has no value: a mistake in the template.
 */
export function edgeFiles(options: EdgeOptions, { folder, openFiles }: Place): Map<string, string> {
  const { port, origins, urls, theme } = options
  const hostOf = (url: string) => new URL(url).host
  const name = (url: string) => new URL(url).hostname
  const values: Record<string, string> = {
    folder,
    listen: `${options.host}:${port}`,
    workers: String(Math.min(4, availableParallelism())),
    open_files: String(openFiles),
    // A visitor who is passed through takes two connections.
    connections: String(Math.floor(openFiles * 0.9)),
    origins: origins.map((origin) => `server ${origin} max_fails=3 fail_timeout=2s;`).join(' '),
    origins_public: origins
      .map((origin) => `server ${origin} max_conns=32 max_fails=3 fail_timeout=2s;`)
      .join(' '),
    real_ip: realIp(options.realIpFrom ?? []),
    access_log: options.accessLog === false ? 'off' : 'access.log edge buffer=64k flush=1s if=$logged',
    retry_s: String(RETRY_S),
    ...{ shop_url: urls.shop, shop_host: hostOf(urls.shop), shop_name: name(urls.shop) },
    ...{ queue_host: hostOf(urls.queue), queue_name: name(urls.queue) },
    ...{ ops_host: hostOf(urls.ops), ops_name: name(urls.ops) },
    ...Object.fromEntries(
      Object.entries(REFUSALS).map(([code, problem]) => [code, JSON.stringify(problem.body(REQUEST_ID))]),
    ),
  }
  const source = projectPath('edge')
  const read = (file: string) => readFileSync(join(source, file), 'utf8')
  const files = readdirSync(source)
    .filter((file) => file.endsWith('.conf'))
    .map((file) => [file, fill(read(file), values)] as const)
  const pages = Object.values(theme.speakers).map((say) => {
    const { language } = say
    const text = { title: say('edge.title'), text: say('edge.text'), again: say('edge.again') }
    const page = fill(read('moment.html'), { language, direction: directionOf(language), ...text })
    return [`pages/moment.${language}.html`, page] as const
  })
  return new Map([...files, ...pages, ['pages/moment.css', `${read('moment.css')}${theme.css()}`]])
}

/** The last address in the header that is not one of theirs: what stands before it anybody may have written. */
const realIp = (from: readonly string[]): string =>
  from.length === 0
    ? ''
    : [
        ...from.map((range) => `set_real_ip_from ${range};`),
        'real_ip_header X-Forwarded-For; real_ip_recursive on;',
      ].join(' ')

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new RangeError(`the edge's template names an unknown value: ${name}`)
    return value
  })
}
