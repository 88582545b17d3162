/**
 * What every answer of ours tells browsers about security, in one place. `docs/security.md` says why each is as it is.
 */

export const CSP_REPORTS_PATH = '/csp-reports'

/** Of an answer that is no page: should a browser show it as one all the same, it can do nothing. */
const NO_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const YEAR_S = 365 * 24 * 3600

/** Browsers' features that no page of ours uses, nor anything it might frame. */
const FEATURES_OFF = [
  ...['accelerometer', 'browsing-topics', 'camera', 'display-capture', 'geolocation', 'gyroscope'],
  ...['hid', 'idle-detection', 'local-fonts', 'magnetometer', 'microphone', 'midi', 'serial', 'usb'],
  'xr-spatial-tracking',
]

/** What a page may do beyond being shown, by origins; nothing where nothing is said. */
export interface Allowed {
  readonly scripts?: readonly string[]
  readonly styles?: readonly string[]
  readonly connections?: readonly string[]
  readonly frames?: readonly string[]
  readonly forms?: readonly string[]
  /** Whether the browser's own payment sheet may be asked for, by frames of these origins. */
  readonly payment?: readonly string[]
  /**
   * Names of the policies (Trusted Types) that may make addresses of scripts; without it scripts of others may run,
   * which know nothing of them.
   */
  readonly trustedTypes?: readonly string[]
}

const SELF = "'self'"

/** Headers of a page. Nothing inline, no plug-ins, nowhere framed. */
export function pageHeaders(allowed: Allowed): Readonly<Record<string, string>> {
  const { scripts, styles = [SELF], connections, frames, forms, payment, trustedTypes } = allowed
  const directives: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['default-src', ["'none'"]],
    ['script-src', scripts],
    ['style-src', styles],
    ['img-src', [SELF]],
    // A theme may bring one.
    ['font-src', [SELF]],
    ['connect-src', connections],
    ['frame-src', frames],
    ['form-action', forms ?? ["'none'"]],
    ['base-uri', ["'none'"]],
    ['frame-ancestors', ["'none'"]],
    ['require-trusted-types-for', trustedTypes && ["'script'"]],
    ['trusted-types', trustedTypes && (trustedTypes.length > 0 ? trustedTypes : ["'none'"])],
    ['report-to', ['csp']],
    ['report-uri', [CSP_REPORTS_PATH]],
  ]
  const features = FEATURES_OFF.map((feature) => `${feature}=()`)
  const payers = payment?.map((origin) => ` "${origin}"`).join('') ?? ''
  return {
    'Content-Security-Policy': directives
      .flatMap(([name, sources]) => (sources === undefined ? [] : [`${name} ${sources.join(' ')}`]))
      .join('; '),
    'Reporting-Endpoints': `csp="${CSP_REPORTS_PATH}"`,
    'Permissions-Policy': [
      ...features,
      payment === undefined ? 'payment=()' : `payment=(self${payers})`,
    ].join(', '),
    // A pass travels in a fragment, which is never sent; this keeps paths with order ids at home too.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Origin-Agent-Cluster': '?1',
  }
}

/** Completes any answer, whoever made it: what it says itself stays. `https`: how the public address begins. */
export function secure(response: Response, https: boolean): Response {
  const { headers } = response
  const add = (name: string, value: string) => headers.has(name) || headers.set(name, value)
  add('X-Content-Type-Options', 'nosniff')
  add('Content-Security-Policy', NO_PAGE)
  add('Referrer-Policy', 'no-referrer')
  add('Cross-Origin-Resource-Policy', 'same-origin')
  if (https) add('Strict-Transport-Security', `max-age=${YEAR_S}`)
  return response
}
