import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { SaleId } from '../../contracts/ids.ts'
import type { Standing } from '../../contracts/place.ts'
import { ownCookie } from '../../platform/cookies.ts'

/** A place as a browser without scripts keeps it. The standing is only shown; what counts is in the ticket, signed. */
export interface KeptTicket extends Standing {
  readonly ticket: string
}

const KEEP_S = 7 * 24 * 3600
const nameOf = (sale: SaleId) => `__Host-ticket-${sale}`

/** Undefined where there is none, or none that can be read. */
export function readTicket(c: Context, sale: SaleId): KeptTicket | undefined {
  const parts = getCookie(c, nameOf(sale))?.split('~') ?? []
  const [ticket, position, lobbyIndex, lane] = parts
  if (ticket === undefined || ticket === '') return undefined
  return { ticket, position: whole(position), lobby_index: whole(lobbyIndex), lane: lane || undefined }
}

export function writeTicket(c: Context, sale: SaleId, kept: KeptTicket): void {
  const { ticket, position = '', lobby_index = '', lane = '' } = kept
  const value = [ticket, position, lobby_index, lane].join('~')
  setCookie(c, nameOf(sale), value, ownCookie(KEEP_S))
}

export function forgetTicket(c: Context, sale: SaleId): void {
  deleteCookie(c, nameOf(sale), ownCookie(0))
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}
