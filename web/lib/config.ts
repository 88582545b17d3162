import { byId } from './dom.ts'

interface PageConfig {
  readonly shop_url: string
  readonly queue_url: string
}

/** Public addresses, from the page's JSON block. */
export const config = JSON.parse(byId('config').textContent) as PageConfig
