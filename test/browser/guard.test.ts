import { test } from 'bun:test'
import { picture, shows } from './page.ts'
import { inBrowser } from './running.ts'

// The guard as a person meets it. Pictures: test/output/.
const NUMBERS = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

inBrowser('the guard in a browser', (system) => {
  test('a suspected visitor answers a question in plain text, after a wrong answer too', async () => {
    await system.operator.createSale({
      id: 'watched',
      name: 'Watched',
      rate_per_second: 0.001,
      // A headless browser looks odd enough for these.
      guard: {
        risk: { raised: 1, anomalous: 1, bot: 101 },
        proof_of_work: { hashes: 2000, captcha_hashes: 2000 },
      },
      products: [{ id: 'watched-item', name: 'Thing', amount: 100, currency: 'EUR', units: 5 }],
      reason: 'test',
    })
    const { page } = await system.visitor()
    await page.goto(`${system.urls.queue}/watched`)
    const question = page.locator('#question')
    await question.waitFor({ state: 'visible' })
    await picture(page, 'guard-question')
    for (let tries = 0; tries < 60; tries += 1) {
      const asked = (await question.textContent()) ?? ''
      const [, a = '', b = ''] = /^What is (\w+) plus (\w+)\?$/.exec(asked) ?? []
      const known = NUMBERS.includes(a) && NUMBERS.includes(b)
      const sum = NUMBERS.indexOf(a) + NUMBERS.indexOf(b) + 4
      await page.locator('#answer').fill(known ? String(sum) : 'no idea')
      await page.locator('#answer-button').click()
      if (known) break
      await question.filter({ hasNotText: asked, visible: true }).waitFor()
    }
    await shows(page, '#heading', 'You are in line')
    await shows(page, '#position', '1')
  }, 60_000)
})
