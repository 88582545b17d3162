import axe, { type AxeResults, type RunOptions } from 'axe-core'
import { readdirSync, writeFileSync } from 'node:fs'
import type { Frame, Page } from 'playwright-core'
import { projectPath } from '../../src/platform/project.ts'
import { withScripts } from './watched.ts'

const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const
const FOLDER = projectPath('test/output')

/**
 * Keeps a picture of the page at the width of a phone and of a desk, for people to look at: test/output/index.html
 * shows them all. Throws where the page has a serious or critical finding of axe-core at either width, too little
 * contrast in the other colour scheme, or scrolls sideways on a phone.
 */
export async function picture(page: Page, name: string): Promise<void> {
  const found: string[] = []
  for (const size of SIZES) {
    await page.setViewportSize(size)
    await page.screenshot({ path: `${FOLDER}/${name}-${size.width}.png`, fullPage: true })
    const { width } = size
    const findings = await inspect(page, { sideways: width === SIZES[0].width })
    found.push(...findings.map((finding) => `${width} px: ${finding}`))
  }
  const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
  await page.emulateMedia({ colorScheme: dark ? 'light' : 'dark' })
  const findings = await inspect(page, { rules: ['color-contrast'] })
  found.push(...findings.map((finding) => `${dark ? 'light' : 'dark'}: ${finding}`))
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
  writeGallery()
  if (found.length > 0) throw new Error(`${name} (${page.url()}):\n${[...new Set(found)].join('\n')}`)
}

interface Inspection {
  /** Of axe-core; all where nothing is said. */
  readonly rules?: readonly string[]
  /** Whether scrolling sideways is a finding. */
  readonly sideways?: boolean
}

/** What is wrong with the page as it is shown now, one line each. */
function inspect(page: Page, inspection: Inspection): Promise<string[]> {
  return withScripts(page, async () => {
    const found: string[] = []
    for (const frame of page.frames()) {
      if (!(await runsScripts(frame))) continue
      const missing = await frame.evaluate(() => !('axe' in window))
      // As the developer tools would: a script element would break the page's policy.
      if (missing) await frame.evaluate(axe.source)
      found.push(...(await frame.evaluate(findings, inspection)))
    }
    return found
  })
}

/** The page itself, and frames that somebody serves: not those made by scripts, nor those where none may run. */
async function runsScripts(frame: Frame): Promise<boolean> {
  if (frame.parentFrame() === null) return true
  const element = await frame.frameElement()
  return frame.url().startsWith('http') && (await element.getAttribute('sandbox')) === null
}

/** Runs inside the page. */
async function findings({ rules, sideways }: Inspection): Promise<string[]> {
  const { axe } = window as unknown as {
    axe: { run(page: Document, options: RunOptions): Promise<AxeResults> }
  }
  const options = rules === undefined ? {} : { runOnly: { type: 'rule' as const, values: [...rules] } }
  const { violations } = await axe.run(document, {
    resultTypes: ['violations'],
    // Each is looked at by itself.
    iframes: false,
    ...options,
  })
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, impact, nodes }) =>
      nodes.map(
        ({ target, failureSummary = '' }) =>
          `${id} (${impact}) at ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`,
      ),
    )
  const { clientWidth, scrollWidth } = document.documentElement
  if (sideways && scrollWidth > clientWidth) {
    const wide = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > clientWidth + 1,
    )
    const named = wide.slice(-3).map(({ tagName, id }) => `${tagName.toLowerCase()}${id && `#${id}`}`)
    found.push(`scrolls sideways: ${scrollWidth} px in ${clientWidth}, by ${named.join(', ')}`)
  }
  return found
}

/** All pictures there are, of this run and of earlier ones, side by side. */
function writeGallery(): void {
  const files = new Set(readdirSync(FOLDER))
  const names = [...files].flatMap((file) => /^(.+)-390\.png$/.exec(file)?.[1] ?? []).sort()
  const figures = names.map((name) => {
    const images = SIZES.map(({ width }) => `${name}-${width}.png`)
      .filter((file) => files.has(file))
      .map((file) => `<a href="${file}"><img src="${file}" alt="${file}" loading="lazy"></a>`)
    return `<section id="${name}"><h2>${name}</h2>${images.join('')}</section>`
  })
  writeFileSync(`${FOLDER}/index.html`, `${GALLERY_HEAD}${figures.join('\n')}\n`)
}

const GALLERY_HEAD = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pictures of every page</title>
<style>
body { font: 1rem system-ui; margin: 1rem; background: #ddd }
section a { display: inline-block; vertical-align: top; margin-right: 1rem }
img { border: 1px solid #888; max-width: 60vw } a:first-of-type img { width: 390px; max-width: 30vw }
</style>
<h1>Pictures of every page</h1>
`
