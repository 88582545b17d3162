import type { Locator, Page } from 'playwright-core'
import { readSecrets } from '../../src/platform/servers/data-dir.ts'
import type { Running } from './running.ts'

/** What an operator does in the console, by the names on the screen. */

export interface SignIn {
  readonly name: string
  readonly password: string
}

/** The account that `npm start` makes. */
export function firstAdmin({ dataDir }: Running): SignIn {
  return { name: 'admin', password: readSecrets(dataDir)['ADMIN_PASSWORD'] ?? '' }
}

export const heading = (page: Page, name: string | RegExp): Locator =>
  page.getByRole('heading', { level: 1, name })

export async function signIn(page: Page, { name, password }: SignIn): Promise<void> {
  const form = page.locator('form.sign-in')
  await form.getByLabel('Name', { exact: true }).fill(name)
  await form.getByLabel('Password', { exact: true }).fill(password)
  await form.getByRole('button', { name: 'Sign in' }).click()
}

/** Opens a screen as somebody with an account: a browser of their own. */
export async function operatorAt(system: Running, path: string, as = firstAdmin(system)): Promise<Page> {
  const { page } = await system.visitor()
  await page.goto(system.urls.ops + path)
  await signIn(page, as)
  await page.getByRole('navigation', { name: 'Console' }).waitFor({ state: 'attached' })
  return page
}

/** Another account, made over the API. */
export async function addOperator(
  system: Running,
  name: string,
  role: 'viewer' | 'operator' | 'admin',
): Promise<SignIn> {
  const password = `a long password of ${name}`
  await system.operate('POST', 'operators', { name, role, password })
  return { name, password }
}

/** Presses a button, fills the dialog's fields by their labels and its reason, and sends it. */
export async function command(
  page: Page,
  button: string | RegExp,
  { send, fields = {}, reason }: { send: string; fields?: Readonly<Record<string, string>>; reason: string },
): Promise<void> {
  await page.getByRole('button', { name: button, exact: typeof button === 'string' }).click()
  const dialog = page.getByRole('dialog')
  for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label).fill(value)
  await dialog.getByLabel('Reason').fill(reason)
  await dialog.getByRole('button', { name: send, exact: true }).click()
  await dialog.waitFor({ state: 'detached' }).catch(async (error: unknown) => {
    throw new Error(`${send}: ${(await dialog.textContent()) ?? ''}`, { cause: error })
  })
}

/** The number that a tile of the live screen shows, once it is the one that is expected. */
export async function tileShows(page: Page, label: string, value: string): Promise<void> {
  const tile = page.locator('.tile').filter({ has: page.getByText(label, { exact: true }) })
  await tile
    .locator('.tile-value')
    .filter({ hasText: new RegExp(`^${value}$`) })
    .waitFor()
}
