import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { LANGUAGES } from '../../contracts/words/say.ts'
import type { Units } from '../../contracts/words/shop.ts'
import { type Assets, buildAssets } from '../../platform/assets.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { Representation } from '../../platform/representation.ts'
import { createStockBoard } from '../inventory/stock-board.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { Product, Sale } from './catalogue.ts'
import { pictureOf } from './pictures.ts'
import { createStorefront, type Reader } from './storefront.ts'

const en: Reader = { language: 'en', chosen: false }
const de: Reader = { language: 'de', chosen: false }
const NOW = Date.UTC(2026, 10, 27, 8)
let assets: Assets
beforeAll(async () => {
  assets = await buildAssets({
    config: { shop_url: 'http://shop.example', queue_url: 'http://queue.example' },
  })
})

const SALE: Sale = {
  ...{
    id: 'sale',
    name: 'Black Friday',
    opens_at: NOW - 1000,
    ends_at: null,
    state: 'open',
    message: 'Hello',
  },
  ...{
    payment_window_s: 300,
    hold_s: 600,
    pass_s: 600,
    turn_s: 60,
    rate_per_second: 100,
    checkout_cap: null,
  },
  ...{ checkouts_per_unit: 3, standby_threshold: null, lobby_opens_at: null, post_sale_at: null },
  ...{ draw_commitment: null, rehearsal: false },
}
const drawn = { hash: null, type: null, width: null, height: null, alt: '' }
const product = (id: string, more: Partial<Product> = {}): Product => ({
  ...{ id, sale_id: 'sale', name: `Lamp ${id}`, description: 'It glows', amount: 1999, currency: 'EUR' },
  ...{ units: 10, per_buyer_limit: 2, picture: pictureOf({ name: id }, drawn), ...more },
})
const units = (available: number, held = 0): Units => ({
  available,
  held,
  sold: 10 - available - held,
  total: 10,
})

function open(given: {
  sale?: Partial<Sale>
  products?: Product[]
  unitsOf?: (item: string) => Promise<Units | undefined>
  readAgoMs?: number
  archived?: string[]
}) {
  const clock = {
    time: NOW,
    now: () => clock.time,
    sleep: (ms: number, signal?: AbortSignal) => sleep(ms, signal),
  }
  const [sale, products] = [{ ...SALE, ...given.sale }, given.products ?? [product('a'), product('b')]]
  let reads = 0
  const catalogue = {
    sale: async (id: string) => (id === sale.id ? sale : undefined),
    sales: async () => {
      reads += 1
      await Bun.sleep(5)
      return [sale]
    },
    product: async (id: string) => products.find((one) => one.id === id),
    products: async () => products,
    archived: async () => new Set(given.archived),
    readAt: () => clock.time - (given.readAgoMs ?? 0),
  }
  const storefront = createStorefront({
    ...{ catalogue, assets, clock, unitsOf: given.unitsOf ?? (async () => units(10)) },
    urls: { shop: 'http://shop.example', queue: 'http://queue.example' },
  })
  return { storefront, clock, reads: () => reads }
}
const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()))
  })
const html = (page: Representation | undefined) => new TextDecoder().decode(page?.bodies.identity)
/** What a reader sees and what is in attributes, without what scripts read. */
const shown = (page: string) => page.replaceAll(/<script type="application\/json"[^]*?<\/script>/g, '')

describe('a page says how things stand', () => {
  const texts = async (given: Parameters<typeof open>[0]) => {
    const page = shown(html(await open(given).storefront.product('a', en)))
    return { page, state: /data-state="(\w+)" aria-labelledby="offer-title"/.exec(page)?.[1] }
  }
  const all = (found: Units) => ({ unitsOf: async () => found })

  test('before, in the lobby, open, held, sold out, paused, ended and over', async () => {
    const later = { opens_at: NOW + 60_000 }
    const cases = [
      [{ sale: { ...later, lobby_opens_at: NOW + 30_000 } }, 'scheduled', '01:00'],
      [{ sale: later }, 'lobby', 'The waiting room is open'],
      [{}, 'open', '10 of 10 left'],
      [all(units(0, 3)), 'held_out', '3 not paid yet, some may return'],
      [all(units(0)), 'sold_out', 'Every unit has been paid for'],
      [{ sale: { state: 'paused' } }, 'paused', 'The queue keeps every place'],
      [{ sale: { state: 'ended' } }, 'ended', 'Nothing is sold any more'],
      [{ sale: { post_sale_at: NOW - 1 } }, 'post_sale', 'This sale is over'],
    ] as const
    for (const [given, state, text] of cases) {
      const found = await texts(given)
      expect([state, found.state]).toEqual([state, state])
      expect(found.page).toContain(text)
      const over = ['sold_out', 'ended', 'post_sale'].includes(state)
      expect([state, found.page.includes('href="http://queue.example/sale"')]).toEqual([state, !over])
      expect([state, found.page.includes('href="http://queue.example/sale/plain"')]).toEqual([state, !over])
    }
  })

  test('of a sale that is over no card says that something is left', async () => {
    for (const sale of [{ state: 'ended' as const }, { post_sale_at: NOW - 1 }]) {
      const page = shown(html(await open({ sale }).storefront.sale('sale', en)))
      expect(page).toContain('Lamp a')
      expect(page).not.toContain('10 of 10 left')
    }
  })

  test('whoever finds an item sold out is shown what else is left of the sale', async () => {
    const one = { unitsOf: async (item: string) => units(item === 'a' ? 0 : 4) }
    expect((await texts(one)).page).toContain('See what is left of this sale')
    expect((await texts(all(units(0)))).page).not.toContain('See what is left of this sale')
  })

  test('what nobody knows is not said: no stock is no "sold out"', async () => {
    for (const unitsOf of [
      async () => undefined,
      () => Promise.reject(new Error('away')),
      () => new Promise<never>(() => undefined),
    ]) {
      const started = performance.now()
      const { page, state } = await texts({ unitsOf })
      expect(performance.now() - started).toBeLessThan(2000)
      expect(state).toBe('open')
      expect(page).toContain('Being counted')
      expect(page).not.toContain('Sold out')
    }
  })

  test('a rehearsal says so and is on no list', async () => {
    const { storefront } = open({ sale: { rehearsal: true } })
    expect(html(await storefront.product('a', en))).toContain('Rehearsal: nothing is sold')
    expect(html(await storefront.product('a', en))).toContain('name="robots" content="noindex"')
    expect(shown(html(await storefront.front(en)))).not.toContain('Black Friday')
  })

  test('a sale that was put away is on no list, and still at its address', async () => {
    const { storefront } = open({ archived: ['sale'] })
    expect(shown(html(await storefront.front(en)))).toContain('There is no sale right now')
    expect(html(await storefront.sale('sale', en))).toContain('Black Friday')
  })

  test('in each language, with its direction, and where the others are', async () => {
    const { storefront } = open({})
    for (const language of LANGUAGES) {
      const page = html(await storefront.product('a', { language, chosen: false }))
      expect(page).toContain(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">`)
      for (const other of LANGUAGES)
        expect(page).toContain(`hreflang="${other}" href="http://shop.example/products/a?lang=${other}"`)
    }
  })

  test('each address says of itself that it is the one', async () => {
    const { storefront } = open({})
    for (const [chosen, address] of [
      [false, 'http://shop.example/products/a'],
      [true, 'http://shop.example/products/a?lang=de'],
    ] as const)
      expect(html(await storefront.product('a', { language: 'de', chosen }))).toContain(
        `<link rel="canonical" href="${address}" />`,
      )
  })

  test('what is not there is nothing', async () => {
    const { storefront } = open({})
    expect(await storefront.product('nothing', en)).toBeUndefined()
    expect(await storefront.sale('nothing', en)).toBeUndefined()
  })
})

test('a crowd costs one rendering', async () => {
  const { storefront, reads } = open({})
  const pages = await Promise.all(Array.from({ length: 500 }, () => storefront.front(en)))
  expect(new Set(pages).size).toBe(1)
  expect(reads()).toBe(1)
  await storefront.front(de)
  expect(reads()).toBe(2)
})

test('"sold out" is said for less than a second after something came back', async () => {
  let left = 0
  const inventory = {
    stock: async () => ({ ...units(left), seq: 0, state: 'open', opens_at: 0, ends_at: null }),
  } as unknown as Inventory
  for (let late = 0; late < 1000; late += 50) {
    const clock = { time: NOW, now: () => clock.time, sleep }
    const board = createStockBoard({ inventory, clock })
    const storefront = createStorefront({
      ...{ assets, clock, unitsOf: (item: string) => board.read(item) },
      urls: { shop: '', queue: '' },
      catalogue: {
        ...{
          sale: async () => SALE,
          sales: async () => [SALE],
          readAt: () => clock.time,
          archived: async () => new Set<string>(),
        },
        ...{ product: async () => product('a'), products: async () => [product('a')] },
      },
    })
    left = 0
    await board.read('a')
    clock.time += 199
    expect(html(await storefront.product('a', en))).toContain('data-state="sold_out" aria-labelledby')
    left = 1
    const restocked = clock.time
    clock.time += late
    await storefront.product('a', en)
    clock.time = restocked + 1000
    expect(html(await storefront.product('a', en))).toContain('data-state="open" aria-labelledby')
  }
})

describe('while SQL is away', () => {
  test('what was known last is shown, with its time, for a quarter of an hour', async () => {
    expect(shown(html(await open({ readAgoMs: 5000 }).storefront.front(en)))).not.toContain('can not be read')
    const stale = shown(html(await open({ readAgoMs: 14 * 60_000 }).storefront.sale('sale', en)))
    expect(stale).toContain('Our records can not be read right now')
    expect(stale).toContain(new Date(NOW - 14 * 60_000).toISOString())
  })

  test('then nothing is said any more', async () => {
    const { storefront } = open({ readAgoMs: 16 * 60_000 })
    for (const page of [storefront.front(en), storefront.product('a', en), storefront.sale('sale', en)])
      expect(await page.catch((error: unknown) => error)).toBeInstanceOf(Unavailable)
  })
})

describe('nothing of the catalogue becomes markup', () => {
  /** Elements and the names of their attributes, in order: what a browser would build. */
  const skeleton = (page: string) => {
    const found: string[] = []
    new HTMLRewriter()
      .on('*', {
        element: ({ tagName, attributes }) =>
          void found.push([tagName, ...[...attributes].map(([name]) => name)].join(' ')),
      })
      .transform(page)
    return found
  }
  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      ...[
        '</script><script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' autofocus onfocus=alert(1) '",
      ],
      ...[
        '<!--',
        ']]>',
        '{{shop.title}}',
        '{{content}}',
        '$&$1$`',
        '&lt;b&gt;',
        '</title><b>',
        '\u2028</noscript>',
      ],
    ),
  )
  const written = (name: string, description: string, message: string) =>
    open({
      sale: { message, name },
      products: [
        product('a', { name, description, picture: { ...product('a').picture, alt: name } }),
        product('b'),
      ],
    }).storefront

  test('of whatever an operator types', async () => {
    const pages = async (...texts: [string, string, string]) => {
      const storefront = written(...texts)
      return Promise.all([storefront.front(en), storefront.product('a', en), storefront.sale('sale', en)])
    }
    const plain = (await pages('Name', 'Text', 'Note')).map((page) => skeleton(html(page)))
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, async (name, description, message) => {
        const made = (await pages(`n${name}`, `d${description}`, `m${message}`)).map(html)
        expect(made.map(skeleton)).toEqual(plain)
        for (const page of made)
          for (const [, block = ''] of page.matchAll(
            /<script type="application\/(?:ld\+)?json"[^>]*>([^]*?)<\/script>/g,
          ))
            expect(() => JSON.parse(block) as unknown).not.toThrow()
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  test('and this test can fail', () => {
    expect(skeleton('<p title="a">x</p>')).not.toEqual(skeleton('<p title="a" onclick="b">x</p>'))
    expect(skeleton('<p>&lt;b&gt;</p>')).not.toEqual(skeleton('<p><b></b></p>'))
  })
})
