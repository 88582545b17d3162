import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { glance, payWith, picture, shows } from './page.ts'
import { claimIn, createSale, inBrowser } from './running.ts'

// The waiting room in scripts that are not Latin, one of them from right to left, and by keyboard alone. Pictures: test/output/.
const HOUR = 3_600_000

inBrowser('the waiting room in other languages', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`

  const SAID = {
    ar: {
      locale: 'ar-EG',
      lobby: 'يبدأ البيع خلال',
      waiting: 'أنت في الطابور',
      turn: 'حان دورك',
      gone: 'نفدت الكمية',
      offline: 'غير متصل',
    },
    ja: {
      locale: 'ja-JP',
      lobby: '販売開始まで',
      waiting: '列に並んでいます',
      turn: 'あなたの番です',
      gone: '売り切れ',
      offline: 'オフライン',
    },
  } as const

  test.each(['ar', 'ja'] as const)(
    '%s: lobby, line, turn, sold out and offline',
    async (language) => {
      const said = SAID[language]
      const sale = (name: string) => `${name}-${language}`
      await createSale(system, sale('lobby'), { opens_at: Date.now() + HOUR })
      await createSale(system, sale('line'), { rate: 0.001 })
      await createSale(system, sale('full'))
      await system.operate('PUT', `sales/${sale('full')}/cap`, { checkout_cap: 1 })
      await createSale(system, sale('gone'), { units: 1 })
      for (let others = 0; others < 3; others++) await system.join(sale('line'))
      const first = await system.visitor()
      await first.page.goto(queue(sale('full')))
      await first.page.locator('#claim-button').waitFor()
      await claimIn(system, first.page, sale('gone'))
      await payWith(first.page, '4242 4242 4242 4242')
      await shows(first.page, '#order-title', 'Paid')

      const { context, page } = await system.visitor({ locale: said.locale })
      await page.goto(queue(sale('lobby')))
      await shows(page, '#heading', said.lobby)
      expect(await page.locator('html').getAttribute('lang')).toBe(language)
      await expectMirrored(page, language === 'ar')
      await picture(page, `lobby-${language}`)
      await page.goto(queue(sale('line')))
      await shows(page, '#heading', said.waiting)
      await shows(page, '#hero-number', '3')
      await page.locator('#tell').check()
      await picture(page, `waiting-${language}`)
      await expectMirrored(page, language === 'ar')
      await context.setOffline(true)
      await shows(page, '#trouble', said.offline)
      await picture(page, `waiting-offline-${language}`)
      await context.setOffline(false)
      await page.goto(queue(sale('full')))
      await shows(page, '#heading', said.turn)
      await picture(page, `full-house-${language}`)
      await page.goto(queue(sale('gone')))
      await shows(page, '#heading', said.gone)
      await picture(page, `waiting-sold-out-${language}`)
    },
    90_000,
  )

  test('the draw in Arabic: hashes keep their direction', async () => {
    await createSale(system, 'lots-ar', { opens_at: Date.now() + HOUR, order: 'draw' })
    const { page } = await system.visitor({ locale: 'ar' })
    await page.goto(queue('lots-ar'))
    await shows(page, '#position', '1')
    await page.locator('#to-draw').click()
    await shows(page, '#seen', 'هذا المتصفح')
    expect(await page.locator('#commitment').evaluate((element) => getComputedStyle(element).direction)).toBe(
      'ltr',
    )
    await picture(page, 'draw-before-ar')
  }, 30_000)

  test('another language keeps the place, here and later', async () => {
    await createSale(system, 'tongues', { rate: 0.001 })
    for (let others = 0; others < 2; others++) await system.join('tongues')
    const { context, page } = await system.visitor()
    const joins: number[] = []
    context.on('response', (response) => {
      if (response.url().endsWith('/join')) joins.push(response.status())
    })
    await page.goto(queue('tongues'))
    await shows(page, '#position', '3')
    await page.getByRole('link', { name: 'Deutsch' }).click()
    await shows(page, '#heading', 'Sie stehen in der Schlange')
    await shows(page, '#position', '3')
    await page.getByRole('link', { name: 'العربية' }).click()
    await shows(page, '#heading', SAID.ar.waiting)
    await shows(page, '#position', '3')
    await page.goto(queue('tongues'))
    await shows(page, '#heading', SAID.ar.waiting)
    expect(joins).toEqual([201, 200, 200, 200])
  }, 30_000)

  test('by keyboard alone: told, a code tried, the language changed, and in', async () => {
    await createSale(system, 'keys', { rate: 0.001 })
    await system.join('keys')
    const { page } = await system.visitor()
    await page.goto(queue('keys'))
    await shows(page, '#position', '2')
    await tabTo(page, '.skip')
    await page.keyboard.press('Enter')
    await tabTo(page, '#tell')
    await page.keyboard.press('Space')
    await shows(page, '#tell-said', 'You will hear a sound')
    await tabTo(page, '#tell-try')
    await tabTo(page, '#code-box summary')
    await page.keyboard.press('Enter')
    await tabTo(page, '#code')
    await page.keyboard.type('no such code')
    await page.keyboard.press('Enter')
    await shows(page, '#code-answer', 'There is no group with this code')
    await tabTo(page, '#rules summary')
    await page.keyboard.press('Space')
    await shows(page, '#rules', 'The wait is the number of people')
    await tabTo(page, '.languages a[hreflang=fr]')
    await page.keyboard.press('Enter')
    await shows(page, '#heading', 'Vous êtes dans la file')
    await system.setRate('keys', 1000)
    await glance(page)
    await page.waitForURL(/\/checkout\/keys/)
  }, 40_000)
})

/** Goes on with the Tab key until this has the focus, and sees to it that the focus can be seen. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate((selector) => {
      const { activeElement } = document
      if (activeElement === null || !activeElement.matches(selector)) return undefined
      return getComputedStyle(activeElement).outlineStyle
    }, selector)
    if (focused === undefined) continue
    expect(focused).not.toBe('none')
    return
  }
  throw new Error(`no Tab leads to ${selector}`)
}

/** Whether the page runs from right to left, and does not move sideways. */
async function expectMirrored(page: Page, mirrored: boolean): Promise<void> {
  const seen = await page.evaluate(() => {
    const left = (selector: string) => document.querySelector(selector)?.getBoundingClientRect().left ?? NaN
    scrollBy(-500, 0)
    scrollBy(500, 0)
    return {
      direction: getComputedStyle(document.body).direction,
      brandLast: left('.brand') > left('header nav'),
      switchLast: document.querySelector('#tell-box')?.checkVisibility()
        ? left('#tell') > left('.switch span')
        : undefined,
      scrolled: scrollX,
    }
  })
  expect(seen).toEqual({
    direction: mirrored ? 'rtl' : 'ltr',
    brandLast: mirrored,
    switchLast: seen.switchLast === undefined ? undefined : mirrored,
    scrolled: 0,
  })
}
