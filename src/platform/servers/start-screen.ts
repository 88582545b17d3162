import { join, relative } from 'node:path'
import type { RunFile } from './data-dir.ts'

/** What a person sees when everything answers. */
export function startScreen(run: RunFile, dataDir: string): string {
  const addresses = [
    ['Shop', run.urls.shop],
    ['Waiting room', run.urls.queue],
    ['Operator', run.urls.ops],
    ...(run.urls.stripe_sandbox === undefined ? [] : [['Stripe sandbox', run.urls.stripe_sandbox]]),
    ...(run.urls.mailbox === undefined ? [] : [['Mailbox', run.urls.mailbox]]),
  ]
  const folder = relative('.', dataDir).startsWith('..') ? dataDir : relative('.', dataDir) || '.'
  return [
    '',
    `Doorbuster is running (${run.profile} profile).`,
    '',
    ...addresses.map(([name, url]) => `  ${name?.padEnd(16)}${url}/`),
    '',
    `  Data and logs are in ${folder}, the operator's token is OPS_TOKEN in ${join(folder, 'secrets.json')}.`,
    '  Ctrl-C stops everything. `npm run rush` sends a crowd.',
    '',
  ].join('\n')
}
