import type { Locator, Page } from 'playwright-core'

export { picture } from './picture.ts'
export { skipLoudly } from './watched.ts'

/** Waits until the element shows this text. */
export async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text, visible: true }).waitFor()
}

/** Comes back to the tab, which asks at once: far from the front the poll policy waits half a minute. */
export function glance(page: Page): Promise<boolean> {
  return page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
}

/** The provider's fields for a card, which are a frame of its own. */
export const cardFields = (page: Page) => page.frameLocator('#card-fields iframe')

/** Types a card into the provider's fields and pays; `press`: how the button is pressed. */
export async function payWith(
  page: Page,
  number: string,
  press = (button: Locator) => button.click(),
): Promise<void> {
  const fields = cardFields(page)
  await fields.locator('#number').fill(number)
  await fields.locator('#expiry').fill('12/34')
  await fields.locator('#cvc').fill('123')
  await press(page.locator('#pay'))
}

/** A request from inside the page, with its cookies; only the browser resolves *.localhost everywhere. */
export function fetchIn(page: Page, path: string, headers: Record<string, string> = {}) {
  return page.evaluate(
    async ([path, headers]) => {
      const answer = await fetch(path, { headers })
      return {
        status: answer.status,
        headers: Object.fromEntries<string>(answer.headers),
        text: await answer.text(),
      }
    },
    [path, headers] as const,
  )
}

/** Lets requests to `path` through to the server and loses the answers. Returns the requests' headers as they come. */
export async function loseAnswers(page: Page, path: string) {
  const session = await page.context().newCDPSession(page)
  const lost: Record<string, string>[] = []
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    lost.push(request.headers)
    void session.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: `*${path}`, requestStage: 'Response' }] })
  return { lost, stop: () => session.detach() }
}

/** Puts the tab to the back or to the front, as far as its page can tell. */
export function setHidden(page: Page, hidden: boolean): Promise<boolean> {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true })
    return document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)
}
