import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingError } from '../errors.ts'
import { projectPath } from '../project.ts'
import { edgeFiles } from '../servers/edge-config.ts'
import { contrast, readScheme, unreadable } from './colours.ts'
import { readTheme } from './theme.ts'

const folder = mkdtempSync(join(tmpdir(), 'doorbuster-theme-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'theme.json')
const put = (file: string, content: string | Uint8Array) => writeFileSync(join(folder, file), content)
const read = (theme: unknown) => {
  put(
    'theme.json',
    typeof theme === 'string' ? theme : JSON.stringify({ name: 'Lumen', ...(theme as object) }),
  )
  return readTheme(path)
}
/** What the operator is told, without the file's name. */
function complaint(theme: unknown): string {
  try {
    read(theme)
  } catch (error) {
    expect(error).toBeInstanceOf(SettingError)
    const { message } = error as Error
    expect(message).toStartWith(`THEME_FILE ${path}: `)
    return message.slice(`THEME_FILE ${path}: `.length)
  }
  throw new Error('it was accepted')
}
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'

describe('colours', () => {
  test("the contrast is WCAG's", () => {
    expect(contrast('#000', '#ffffff')).toBe(21)
    expect(contrast('#777777', '#fff')).toBeCloseTo(4.478, 3)
    expect(contrast('#fff', '#777777')).toBe(contrast('#777', '#fff'))
    expect(contrast('#0000ff', '#fff')).toBeCloseTo(8.592, 3)
  })

  test('ours can be read, and every one of them is known here', () => {
    const css = readFileSync(projectPath('web/styles/base.css'), 'utf8')
    const scheme = readScheme(css)
    expect(unreadable(scheme)).toEqual([])
    for (const name of Object.keys(scheme.light))
      expect(read({ colours: { light: { [name]: scheme.light[name] } } }).name).toBe('Lumen')
  })

  test('one that can not be read is refused, with its ground and how much is missing', () => {
    expect(complaint({ colours: { light: { accent: '#ff9900' } } })).toBe(
      'colours: colours.light: accent (#ff9900) on page (#faf8f6) has a contrast of 2.02, and needs 4.5 to be read',
    )
    expect(complaint({ colours: { dark: { 'on-accent': '#fff', accent: '#5fd0e6' } } })).toContain(
      'colours.dark: on-accent (#fff) on accent (#5fd0e6)',
    )
    expect(complaint({ colours: { light: { accent: 'red' } } })).toBe(
      'colours.light.accent: a colour is written #rgb or #rrggbb',
    )
    expect(complaint({ colours: { light: { accnt: '#000' } } })).toStartWith('colours.light: ')
  })
})

describe('a theme', () => {
  test('without one, all is ours', () => {
    const { name, logo, css, words } = readTheme()
    expect([name, logo, css()]).toEqual(['Doorbuster', undefined, ''])
    expect(words.de['place']?.['sold_out']).toBe('Ausverkauft')
  })

  test('the example is good', () => {
    const { name, logo, wordmark, words, css } = readTheme(projectPath('themes/example/theme.json'))
    expect([name, logo?.type, wordmark?.dark.file]).toEqual([
      'Nordlicht',
      'image/svg+xml',
      'wordmark-dark.svg',
    ])
    expect(words.de['place']?.['sold_out']).toBe('Alle Leuchten sind weg')
    expect(words.fr['place']?.['sold_out']).toBe('Épuisé')
    expect(words.de['common']?.['footer']).toBe('Nordlicht, Leuchten seit 1974')
    expect(css()).toContain('--accent: light-dark(#0b6479, #5fd0e6);')
  })

  test('the edge speaks and looks alike while nobody is behind it, without a font that nobody could send', () => {
    put('edge.woff2', 'wOF2')
    const theme = read({
      font: { file: 'edge.woff2' },
      colours: { light: { accent: '#0b6479' } },
      texts: { de: { 'edge.title': 'Gleich wieder da' } },
    })
    const urls = { shop: 'https://shop.example', queue: 'https://queue.example', ops: 'https://ops.example' }
    const files = edgeFiles(
      { host: '127.0.0.1', port: 1, origins: ['127.0.0.1:2'], urls, theme },
      { folder: '/nowhere', openFiles: 1024 },
    )
    expect(files.get('pages/moment.de.html')).toContain('<h1>Gleich wieder da</h1>')
    expect(files.get('pages/moment.css')).toContain('--accent: light-dark(#0b6479, #ff8a50);')
    expect(files.get('pages/moment.css')).not.toContain('@font-face')
  })

  test('a font of its own comes before that of the system', () => {
    put('font.woff2', Buffer.from('wOF2 and so on'))
    const { font, css } = read({ font: { file: 'font.woff2' } })
    expect(font?.type).toBe('font/woff2')
    expect(css('/assets/font.woff2')).toMatch(
      /@font-face.*url\('\/assets\/font.woff2'\)[^]*font-family: Theme, system-ui/,
    )
    expect(css('/assets/font.woff2')).not.toContain('light-dark')
  })

  test('one footer is that of all languages', () => {
    const { words } = read({ footer: 'Lumen Ltd.' })
    expect([words.en['common']?.['footer'], words.ja['common']?.['footer']]).toEqual([
      'Lumen Ltd.',
      'Lumen Ltd.',
    ])
  })
})

describe('a theme that is wrong says where', () => {
  test('the file', () => {
    expect(() => readTheme(join(folder, 'none.json'))).toThrow('it can not be read')
    expect(complaint('{"name": ')).toStartWith('not JSON: ')
    expect(complaint('{}')).toStartWith('name: ')
    expect(complaint({ colour: {} })).toContain('"colour"')
    expect(complaint({ font: 'Comic Sans' })).toBe(
      'font: one of system, humanist, geometric, classic, or {"file": "my-font.woff2"}',
    )
  })

  test('what lies beside it', () => {
    put('logo.svg', SVG)
    expect(new TextDecoder().decode(read({ logo: 'logo.svg' }).logo?.body)).toBe(SVG)
    expect(complaint({ logo: 'none.svg' })).toBe(`logo: ${join(folder, 'none.svg')} can not be read`)
    expect(complaint({ logo: '../logo.svg' })).toBe('logo: the name of a file beside the theme file, no path')
    expect(complaint({ logo: 'logo.gif' })).toBe('logo: logo.gif must end in .svg or .png')
    put('big.svg', SVG + ' '.repeat(50_000))
    expect(complaint({ logo: 'big.svg' })).toContain('more than 50000')
    put('logo.png', SVG)
    expect(complaint({ logo: 'logo.png' })).toBe('logo: logo.png is not what its name says')
    expect(complaint({ wordmark: { light: 'logo.svg', dark: 'none.svg' } })).toStartWith('wordmark.dark: ')
    expect(complaint({ font: { file: 'logo.svg' } })).toBe('font.file: logo.svg must end in .woff2')
  })

  test('texts', () => {
    const texts = (language: string, key: string, message: unknown) =>
      complaint({ texts: { [language]: { [key]: message } } })
    expect(texts('de', 'place.nothing', 'x')).toStartWith('texts.de.place.nothing: there is no such text')
    expect(texts('de', 'questions.sum', '{a} {b}')).toContain('there is no such text')
    expect(texts('de', 'place.waiting.wait', 'Gleich.')).toBe(
      'texts.de.place.waiting.wait: its holes must be {wait}',
    )
    expect(texts('ar', 'place.people', { one: 'x', other: '{count}' })).toStartWith(
      'texts.ar.place.people: its plurals must be few, many, one, other, two, zero',
    )
    expect(texts('it', 'place.nobody', 'nessuno')).toContain('"it"')
  })
})
