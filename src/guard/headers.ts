/** What a browser would not have sent. Each is a hint and no proof: proxies and privacy tools drop headers too. */
export type Oddity =
  | 'no_user_agent'
  | 'automation_user_agent'
  | 'no_accept_language'
  | 'fetch_metadata_missing'
  | 'fetch_metadata_foreign'
  | 'client_hints_contradict'

const AUTOMATION =
  /HeadlessChrome|PhantomJS|Selenium|WebDriver|Puppeteer|Playwright|Scrapy|python-|aiohttp|httpx|Go-http-client|node-fetch|undici|axios|libwww|okhttp|Java\/|curl\/|wget\//i

/** Since these versions a browser says in Sec-Fetch-* where a request comes from. */
const SENDS_FETCH_METADATA = /(?:Chrome\/(?:8\d|9\d|\d{3})|Firefox\/(?:9\d|\d{3}))/

/** Reads the headers of a request that a page of ours makes by script. */
export function oddities(headers: Headers): Oddity[] {
  const found: Oddity[] = []
  const agent = headers.get('user-agent') ?? ''
  if (agent === '') found.push('no_user_agent')
  const hints = headers.get('sec-ch-ua') ?? ''
  if (AUTOMATION.test(agent) || AUTOMATION.test(hints)) found.push('automation_user_agent')
  if (!headers.get('accept-language')) found.push('no_accept_language')

  const site = headers.get('sec-fetch-site')
  if (site === null) {
    if (SENDS_FETCH_METADATA.test(agent)) found.push('fetch_metadata_missing')
  } else if (!['same-origin', 'same-site', 'none'].includes(site)) found.push('fetch_metadata_foreign')

  const platform = headers.get('sec-ch-ua-platform')?.replaceAll('"', '') ?? ''
  const isMobile = /Mobile|Android/.test(agent)
  const hintsContradict =
    (headers.get('sec-ch-ua-mobile') === '?1' && !isMobile) ||
    (hints !== '' && !/Chrome\//.test(agent)) ||
    (platform !== '' && !(PLATFORMS[platform]?.test(agent) ?? true))
  if (hintsContradict) found.push('client_hints_contradict')
  return found
}

/** How a platform's name in the client hints shows in the user agent. */
const PLATFORMS: Readonly<Record<string, RegExp>> = {
  Windows: /Windows/,
  macOS: /Macintosh/,
  // A tablet or a page shown "as on a desktop" says Linux.
  Android: /Android|Linux/,
  Linux: /Linux/,
  iOS: /iPhone|iPad|Macintosh/,
}
