import type { WireRequest } from '../../sim/wire/client.ts'
import { againstBareServer, CONNECTIONS, forAllRounds, startShop } from '../http/shop.ts'
import type { Row } from '../row.ts'

const base = {
  unit: 'per second',
  better: 'more',
  note: `One web process, ${CONNECTIONS} connections.`,
} as const

export const soldOutHttp: Row = {
  ...base,
  name: 'sold-out-http',
  title: 'Sold out, over HTTP',
  ours: 'claims answered `sold_out`: it is looked up that the pass was not used; who asks is not looked at',
  yardstick: 'a bare JSON POST server of the same runtime',
  target: 0.8,
  prepare: async (scale) => {
    const shop = await startShop(scale)
    // A refused claim leaves its pass as it was: few are enough.
    const requests = await shop.soldOutClaims(200)
    const expected = { status: 409, contains: '"sold_out"' }
    const count = scale.of(2000, 20_000)
    return againstBareServer(shop, { requests, count, expected, sample: requests[0] as WireRequest })
  },
}

export const joinHttp: Row = {
  ...base,
  name: 'join-http',
  title: 'Join over HTTP',
  ours: 'places in line given to browsers that have none yet, with a signed ticket',
  yardstick: 'a bare JSON POST server of the same runtime',
  prepare: async (scale) => {
    const shop = await startShop(scale)
    const count = scale.of(2000, 20_000)
    const [sample, ...requests] = shop.joins(forAllRounds(scale, count) + 1)
    const expected = { status: 201, contains: '"ticket"' }
    return againstBareServer(shop, { requests, count, expected, sample: sample as WireRequest })
  },
}

export const enterHttp: Row = {
  ...base,
  name: 'enter-http',
  title: 'Enter over HTTP',
  ours: 'turns taken: the ticket is checked, the place let in in Redis, a pass signed',
  yardstick: 'a bare JSON POST server of the same runtime',
  prepare: async (scale) => {
    const shop = await startShop(scale)
    const count = scale.of(1000, 10_000)
    const [sample, ...requests] = await shop.enters(forAllRounds(scale, count) + 1)
    const expected = { status: 200, contains: '"pass"' }
    return againstBareServer(shop, { requests, count, expected, sample: sample as WireRequest })
  },
}

export const statusHttp: Row = {
  ...base,
  name: 'status-http',
  title: 'Status over HTTP',
  ours: "the sale's public status, asked of the origin",
  yardstick: 'a bare GET server of the same runtime',
  target: 0.9,
  prepare: async (scale) => {
    const shop = await startShop(scale)
    const expected = { status: 200, contains: '"now_serving"' }
    const { status } = shop
    return againstBareServer(shop, {
      requests: [status],
      count: scale.of(4000, 40_000),
      expected,
      sample: status,
    })
  },
}
