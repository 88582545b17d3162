import { z } from 'zod'
import type { App } from './http.ts'
import { CSP_REPORTS_PATH } from './security-headers.ts'
import type { Metrics } from './telemetry.ts'

/** More of one delivery are not looked at. */
const MOST = 20
/** What is counted by its name; it is the sender who names it. */
const DIRECTIVES = [
  ...['script-src', 'script-src-elem', 'script-src-attr', 'style-src', 'style-src-elem', 'style-src-attr'],
  ...['img-src', 'connect-src', 'frame-src', 'font-src', 'worker-src', 'default-src', 'form-action'],
  ...['base-uri', 'frame-ancestors', 'require-trusted-types-for', 'trusted-types'],
]

/** As the Reporting API sends them, and one as older browsers do. */
const Reports = z.union([
  z.array(z.object({ type: z.string(), body: z.object({ effectiveDirective: z.string() }) })),
  z.object({ 'csp-report': z.object({ 'effective-directive': z.string() }) }),
])

/** Takes browsers' reports of what a page's policy refused, and counts them: anybody can send one. */
export function cspReports(app: App, host: string, metrics: Metrics): void {
  app.post(CSP_REPORTS_PATH, async (c) => {
    const reports = Reports.safeParse(await c.req.json().catch(() => undefined)).data
    const named =
      reports === undefined
        ? []
        : Array.isArray(reports)
          ? reports.slice(0, MOST).map(({ body }) => body.effectiveDirective)
          : [reports['csp-report']['effective-directive']]
    for (const directive of named)
      metrics.cspReports.inc({ host, directive: DIRECTIVES.includes(directive) ? directive : 'other' })
    return c.body(null, 204)
  })
}
