import type { Order } from '../../src/contracts/shapes.ts'
import { byId, setText } from '../lib/dom.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { say } from '../lib/words.ts'
import { momentPassed } from './moments.ts'

/** From here on the time looks as short as it is. */
const HURRY_S = 60

let lastS = 0

/** The time that is left to pay, large, as a bar, and said at some moments. */
export function drawPayTime(order: Order, clock: ServerClock, running: boolean): void {
  const leftMs = Math.max(0, order.pay_by - clock.now())
  const leftS = Math.ceil(leftMs / 1000)
  byId('pay-time').hidden = !running
  byId('pay-time').dataset['hurry'] = String(leftS <= HURRY_S)
  setText(byId('pay-countdown'), say.countdown(leftMs))
  byId('pay-left', HTMLProgressElement).value = leftMs / Math.max(1, order.pay_by - order.claimed_at)
  const moment = running ? momentPassed(lastS, leftS) : undefined
  lastS = leftS
  if (moment === undefined) return
  const text =
    moment > HURRY_S
      ? say('checkout.left.minutes', { count: Math.round(moment / 60) })
      : say('checkout.left.seconds', { count: moment })
  setText(byId('pay-said'), text)
}
