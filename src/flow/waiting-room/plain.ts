import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { SaleId } from '../../contracts/ids.ts'
import { placeOf } from '../../contracts/place.ts'
import { askDelayS, distanceS, pollDelayS } from '../../contracts/poll.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, formFields } from '../../platform/http.ts'
import { ownCookie } from '../../platform/cookies.ts'
import type { PlainPages } from '../../platform/plain-pages.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import { forgetTicket, type KeptTicket, readTicket, writeTicket } from './plain-ticket.ts'
import { plainView } from './plain-view.ts'
import type { QueueStatus } from './status.ts'
import type { Visitor, WaitingRoom } from './waiting-room.ts'

/** Addresses of this path on the queue's host. */
export const PLAIN_QUEUE_PATH = /^\/[^/]+\/plain$/

/** What a form of the door brought along. `captcha_token` and `captcha_response` answer a question. */
export type PlainForm = Readonly<Record<string, string>>

/** Whether somebody who wants a new place gets one. Who holds a place already is not asked. */
export type Admission =
  /** `decoy`: they get one that leads nowhere. */
  | { readonly kind: 'admitted'; readonly decoy?: boolean }
  /** A step-up, in plain text; the same form comes again with the answer. */
  | { readonly kind: 'question'; readonly question: string; readonly token: string }
export type AdmitPlain = (
  c: Context<AppEnv>,
  request: { readonly sale: SaleId; readonly visitor: Visitor; readonly form: PlainForm },
) => Promise<Admission>

export interface PlainWaitingRoomParts {
  readonly waitingRoom: Pick<WaitingRoom, 'status' | 'join' | 'enter' | 'hasPlace'>
  readonly pages: PlainPages
  readonly metrics: Metrics
  readonly shopUrl: string
  readonly visitor: (c: Context<AppEnv>, device: string | undefined) => Visitor
  /** The guard's word, with limits and questions of its own; a refusal is thrown as a Problem. */
  readonly admitPlain: AdmitPlain
  /** In [0, 1). */
  readonly random: () => number
  /** Unguessable. */
  readonly newId: () => string
}

const DEVICE_COOKIE = '__Host-device'
const DEVICE_S = 365 * 24 * 3600
const NONCE = /^[\w-]{8,128}$/
const CODE = /^.{4,64}$/

/**
 * The waiting room for browsers without scripts: a form takes a place, a page that refreshes itself shows it, and a
 * redirect leads into the shop. The decisions are those of `waitingRoom`, the place is judged by the same rules as in
 * the page with scripts.
 */
export function plainWaitingRoom(app: App, parts: PlainWaitingRoomParts): void {
  const { waitingRoom, pages, metrics, shopUrl, visitor, admitPlain, random, newId } = parts
  const view = (c: Context<AppEnv>) => plainView(pages.of(c), { shopUrl })

  const find = async (c: Context<AppEnv>): Promise<{ sale: SaleId; status: QueueStatus }> => {
    const sale = c.req.param('sale') ?? ''
    const status = await waitingRoom.status(sale)
    if (status === undefined) throw new Problem('unknown_sale')
    return { sale, status }
  }
  const deviceOf = (c: Context<AppEnv>) => getCookie(c, DEVICE_COOKIE) ?? newId()
  const whose = (c: Context<AppEnv>) => visitor(c, getCookie(c, DEVICE_COOKIE))

  // The page with scripts is the same for all sales: it can only link to itself.
  app.get('/:sale', async (c, next) => {
    if (c.req.query('plain') === undefined) return next()
    return c.redirect(`/${encodeURIComponent(c.req.param('sale'))}/plain`, 303)
  })

  app.get('/:sale/plain', async (c) => {
    const { sale, status } = await find(c)
    const kept = readTicket(c, sale)
    const place = placeOf(status, kept ?? {})
    if (place.kind === 'sold_out' || place.kind === 'ended' || place.kind === 'post_sale')
      return view(c).over({ place, status, standing: kept })
    if (place.kind === 'scheduled')
      return view(c).wait({ sale, status, place, lane: undefined, afterS: pollS(status, {}) })
    // Only the form gives a place up: a link can not.
    const again = c.req.query('again') !== undefined
    if (kept === undefined || again) {
      // Before the form is sent: where the answer gets lost, the same browser comes again.
      setCookie(c, DEVICE_COOKIE, deviceOf(c), ownCookie(DEVICE_S))
      return view(c).door({ sale, status, nonce: newId(), again })
    }
    if (place.kind === 'turn') return goIn(c, sale, status, kept)
    return view(c).wait({ sale, status, place, lane: kept.lane, afterS: pollS(status, kept) })
  })

  app.post('/:sale/plain', async (c) => {
    const { sale, status } = await find(c)
    const form = await formFields(c)
    const device = deviceOf(c)
    const who = visitor(c, device)
    const code = form['code']?.trim() ?? ''
    const nonce = form['nonce'] ?? ''
    const again = form['again'] !== undefined
    const door = { sale, status, code, again, nonce: NONCE.test(nonce) ? nonce : newId() }
    if (code !== '' && !CODE.test(code))
      return view(c).door({ ...door, refusal: new Problem('unknown_code') })
    // A code asks for a place in another line than the one that is held.
    const ticket = code === '' && !again ? readTicket(c, sale)?.ticket : undefined
    let decoy = false
    if (!waitingRoom.hasPlace({ sale, visitor: who, ticket })) {
      const admission = await admitPlain(c, { sale, visitor: who, form })
      if (admission.kind === 'question') return view(c).door({ ...door, question: admission })
      decoy = admission.decoy ?? false
    }
    const outcome = await waitingRoom.join({
      ...{ sale, visitor: who, ticket, decoy, client_key: door.nonce },
      ...(code === '' ? {} : { code }),
    })
    metrics.joins.inc({ outcome: outcome.kind })
    switch (outcome.kind) {
      case 'joined':
      case 'kept':
        setCookie(c, DEVICE_COOKIE, device, ownCookie(DEVICE_S))
        writeTicket(c, sale, outcome)
        return c.redirect(c.req.path, 303)
      case 'unknown_code':
      case 'group_full':
        return view(c).door({ ...door, nonce: newId(), refusal: new Problem(outcome.kind) })
      case 'unknown_sale':
        throw new Problem('unknown_sale')
      // The page says what there is to say.
      case 'not_yet':
      case 'sold_out':
      case 'ended':
        return c.redirect(c.req.path, 303)
    }
  })

  /** Asks to be let in: again and again, while there is no room. */
  async function goIn(c: Context<AppEnv>, sale: SaleId, status: QueueStatus, kept: KeptTicket) {
    const outcome = await waitingRoom.enter({ sale, ticket: kept.ticket, visitor: whose(c) })
    metrics.enters.inc({ outcome: outcome.kind })
    const waiting = { sale, status, place: placeOf(status, kept), lane: kept.lane }
    switch (outcome.kind) {
      case 'entered':
        c.header('Cache-Control', 'no-store')
        return c.redirect(`${shopUrl}/checkout/${sale}/plain?pass=${outcome.pass}`, 303)
      case 'too_early':
        return view(c).wait({ ...waiting, afterS: askDelayS(outcome.wait_s ?? undefined, random()) })
      case 'paused':
        return view(c).wait({ ...waiting, afterS: askDelayS(undefined, random()) })
      case 'sold_out':
      case 'ended':
        return view(c).over({ place: { kind: outcome.kind }, status, standing: kept })
      case 'unknown_sale':
        throw new Problem('unknown_sale')
      case 'turn_lapsed':
      case 'ticket_invalid':
      case 'ticket_expired':
      case 'ticket_foreign':
        forgetTicket(c, sale)
        return view(c).door({ sale, status, nonce: newId(), refusal: new Problem(outcome.kind) })
    }
  }

  function pollS(status: QueueStatus, standing: Parameters<typeof distanceS>[1]): number {
    return pollDelayS(status.poll, distanceS(status, standing), random())
  }
}
