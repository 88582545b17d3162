import { createHmac, timingSafeEqual } from 'node:crypto'
import { createTickets } from '../../src/flow/waiting-room/tickets.ts'
import { MAIN_LANE } from '../../src/flow/waiting-room/keys.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { createTokens } from '../../src/platform/tokens.ts'
import { visitorOf } from '../../test/support/rooms.ts'
import type { Row } from '../row.ts'

const SALE = 'bench'

export const ticketCheck: Row = {
  name: 'ticket-check',
  title: 'Ticket check',
  ours: 'tickets of browsers read: signature, kind, sale, expiry, and that it is shown by the device it is bound to',
  yardstick: 'nothing but HMAC-SHA256 over the same text, compared in constant time',
  unit: 'per second',
  better: 'more',
  note: 'One thread, no server.',
  prepare: (scale) => {
    const secret = Buffer.alloc(32, 7)
    const tickets = createTickets({ tokens: createTokens([{ kid: 'k1', secret }]), clock: systemClock })
    const visitor = visitorOf('a-device-of-usual-length-0123456789')
    const shown = Array.from({ length: 1000 }, (_, n) =>
      tickets.issue(SALE, { lane: MAIN_LANE, position: n + 1 }, visitor),
    )
    const signed = shown.map((ticket) => {
      const dot = ticket.lastIndexOf('.')
      return { text: ticket.slice(0, dot), mac: Buffer.from(ticket.slice(dot + 1), 'base64url') }
    })
    const count = scale.of(20_000, 400_000)
    const timed = (check: (n: number) => boolean): number => {
      const start = performance.now()
      for (let n = 0; n < count; n += 1)
        if (!check(n % shown.length)) throw new Error('a good ticket is refused')
      return (count / (performance.now() - start)) * 1000
    }
    return Promise.resolve({
      ours: async () => timed((n) => tickets.read(SALE, shown[n] ?? '', visitor).kind === 'valid'),
      yardstick: async () =>
        timed((n) => {
          const { text, mac } = signed[n] as (typeof signed)[number]
          return timingSafeEqual(createHmac('sha256', secret).update(text).digest(), mac)
        }),
      [Symbol.asyncDispose]: async () => undefined,
    })
  },
}
