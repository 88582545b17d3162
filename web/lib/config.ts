import { byId } from './dom.ts'

interface PageConfig {
  readonly shop_url: string
  readonly queue_url: string
  /** The ways to pay that the shop takes, separated by spaces. */
  readonly payment_providers?: string
  /** The script of the proof of work's workers. */
  readonly solver_url: string
}

/** Public addresses, from the page's JSON block. */
export const config = JSON.parse(byId('config').textContent) as PageConfig
