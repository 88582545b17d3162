import { readSecrets } from '../../platform/servers/data-dir.ts'
import type { Env } from '../../platform/config.ts'
import type { ConsoleAccount } from '../../platform/servers/start-screen.ts'
import { withAccounts } from './account-commands.ts'

const ADMIN = 'admin'

/**
 * For `npm start`, whose user should not have to make an account first: where there is none at all, one is made with the
 * password that the data folder keeps. The account, as long as that is its password; then it is nobody's to show.
 */
export async function firstAdmin(
  databaseUrl: string | undefined,
  {
    dataDir,
    env,
    print,
  }: { readonly dataDir: string; readonly env: Env; readonly print: (line: string) => void },
): Promise<ConsoleAccount | undefined> {
  const password = readSecrets(dataDir)['ADMIN_PASSWORD']
  if (databaseUrl === undefined || password === undefined) return undefined
  return withAccounts(databaseUrl, async (accounts) => {
    if ((await accounts.list()).length === 0) {
      const by = { operator: 'npm start', reason: 'there was no account' }
      await accounts.add(by, { name: ADMIN, role: 'admin', password })
      if (env['DATABASE_URLS'])
        print(
          `DATABASE_URLS had no operator account: \`${ADMIN}\` was added, with ADMIN_PASSWORD of ${dataDir}/secrets.json`,
        )
    }
    return (await accounts.fits(ADMIN, password)) ? { name: ADMIN, password } : undefined
  })
}
