import { join, relative } from 'node:path'
import type { RunFile } from './data-dir.ts'

/** The account that a newcomer signs in to the console with. */
export interface ConsoleAccount {
  readonly name: string
  readonly password: string
}

/** What a person sees when everything answers. */
export function startScreen(run: RunFile, dataDir: string, account: ConsoleAccount | undefined): string {
  const signIn = account === undefined ? '' : `  sign in as ${account.name} / ${account.password}`
  const addresses = [
    ['Shop', run.urls.shop],
    ['Waiting room', run.urls.queue],
    ['Operator console', run.urls.ops, signIn],
    ...(run.urls.stripe_sandbox === undefined ? [] : [['Stripe sandbox', run.urls.stripe_sandbox]]),
    ...(run.urls.mailbox === undefined ? [] : [['Mailbox', run.urls.mailbox]]),
  ]
  const folder = relative('.', dataDir).startsWith('..') ? dataDir : relative('.', dataDir) || '.'
  return [
    '',
    `Doorbuster is running (${run.profile} profile).`,
    '',
    ...addresses.map(([name, url, note = '']) => `  ${name?.padEnd(18)}${url}/${note}`),
    '',
    `  Data and logs are in ${folder}, the operator's token is OPS_TOKEN in ${join(folder, 'secrets.json')}.`,
    '  Ctrl-C stops everything. `npm run rush` sends a crowd.',
    '',
  ].join('\n')
}
