import type { ClaimingOutcome } from '../../src/flow/inventory/claiming.ts'
import type { ProviderName, StartOutcome } from '../../src/flow/payments/payments.ts'
import type { Web } from './cluster.ts'
import { short } from './orders-model.ts'
import { pause, request, type Street } from './street.ts'

export type Claimed = Extract<ClaimingOutcome, { kind: 'claimed' }>

/** What somebody does who has an order. */
export async function decide(street: Street, who: string, claimed: Claimed): Promise<void> {
  const { world } = street.cluster
  const what = world.pick([
    'pay',
    'pay',
    'pay',
    'pay',
    'pay late',
    'pay twice',
    'pay and cancel',
    'cancel',
    'leave',
  ])
  world.note(who, () => `decides about ${short(claimed.order_id)}: ${what}`)
  await pause(street, world.between(50, 1500))
  const first = world.pick<ProviderName>(['stripe', 'paypal'])
  const second: ProviderName = first === 'stripe' ? 'paypal' : 'stripe'
  if (what === 'cancel') return cancel(street, who, claimed)
  if (what === 'leave') return
  if (what === 'pay late') {
    const moment = claimed.pay_by - world.time + world.between(-30, 30)
    await pay(street, who, claimed, first, moment)
  } else if (what === 'pay twice') {
    await Promise.all([pay(street, who, claimed, first), pay(street, who, claimed, second)])
  } else if (what === 'pay and cancel') {
    await Promise.all([
      pay(street, who, claimed, first),
      pause(street, world.between(0, 1500)).then(() => cancel(street, who, claimed)),
    ])
  } else if ((await pay(street, who, claimed, first)) === 'declined') await pay(street, who, claimed, second)
}

async function cancel(street: Street, who: string, { order_id }: Claimed): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const answer = await request(street, who, `cancels ${short(order_id)}`, async ({ restock }) => {
      const { kind } = await restock.cancel(who, order_id)
      return kind
    })
    if (answer.kind === 'answer') return
    await pause(street, street.cluster.world.between(300, 2000))
  }
}

/** Opens the payment with our help, then confirms it at the provider, at `moment` (in ms) or after a thought. */
async function pay(
  street: Street,
  who: string,
  { order_id }: Claimed,
  name: ProviderName,
  moment?: number,
): Promise<'confirmed' | 'declined' | 'gave up'> {
  const { world, providers } = street.cluster
  const provider = providers.find((server) => server.name === name)
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const answer = await request(street, who, `pays ${short(order_id)} with ${name}`, (web) =>
      startPayment(web, who, order_id, name),
    )
    if (answer.kind === 'answer' && answer.body.kind === 'not_payable') return 'gave up'
    if (answer.kind === 'answer' && answer.body.kind === 'started' && provider?.up) {
      const { ref = '' } = answer.body.browser
      await pause(street, moment === undefined ? world.between(20, 1000) : Math.max(0, moment))
      const card = world.pick(['good', 'good', 'good', 'good', 'declined', 'captured at once'] as const)
      const state = provider.model.confirm(ref, card)
      world.count(`confirmed: ${state}`)
      world.note(who, () => `confirms ${ref}, card ${card}: ${state}`)
      if (world.chance(0.3)) await comeBack(street, who, order_id, name)
      return card === 'declined' ? 'declined' : 'confirmed'
    }
    await pause(street, world.between(200, 1500))
  }
  return 'gave up'
}

/** flow/payments/routes.ts without HTTP. */
async function startPayment(
  { orders, payments, restock }: Web,
  user: string,
  id: string,
  name: ProviderName,
): Promise<StartOutcome | { kind: 'unknown_order' | 'being written' }> {
  const order = await orders.find(user, id)
  if (order !== undefined) return payments.start(order, name, 'https://shop.example/')
  return { kind: (await restock.findHold(user, id)) === undefined ? 'unknown_order' : 'being written' }
}

/** Back from the provider's page, which may be quicker than its event. */
const comeBack = (street: Street, who: string, order_id: string, name: ProviderName) =>
  request(street, who, `is back from ${name} with ${short(order_id)}`, async ({ orders, payments }) => {
    const order = await orders.find(who, order_id)
    return order && payments.check(order, name)
  })
