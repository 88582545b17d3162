import type { Product } from '../../src/flow/catalogue/catalogue.ts'
import type { ClaimingOutcome } from '../../src/flow/inventory/claiming.ts'
import { short } from './orders-model.ts'
import { type Claimed, decide } from './paying.ts'
import { type Acknowledged, pause, request, type Street } from './street.ts'

/** One buyer from the door to the end, whatever the end is. */
export async function buyer(street: Street, number: number): Promise<void> {
  const { world, setting } = street.cluster
  const who = `buyer-${number}`
  await pause(street, world.between(0, world.pick([2000, 12_000])))
  const product = world.pick(setting.products)
  for (let pass = 1; pass <= (world.chance(0.2) ? 2 : 1); pass += 1) {
    const claimed = await claim(street, who, `${who}-pass-${pass}`, product)
    if (claimed !== undefined) await decide(street, who, claimed)
  }
}

async function claim(
  street: Street,
  user_id: string,
  pass: string,
  product: Product,
): Promise<Claimed | undefined> {
  const { world } = street.cluster
  const quantity = world.chance(0.2) ? 2 : 1
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    const key = `${pass}-key-${attempt}`
    const outcome = await claimUntilAnswered(street, { user_id, pass, key, product, quantity })
    if (outcome === undefined) return undefined
    if (outcome.kind === 'claimed') return outcome
    if (outcome.kind === 'sold_out' || outcome.kind === 'ended') return undefined
    await pause(street, world.between(500, 4000))
  }
  return undefined
}

interface Wish {
  readonly user_id: string
  readonly pass: string
  readonly key: string
  readonly product: Product
  readonly quantity: number
}

/** The same key until there is an answer, or the buyer has had enough. */
async function claimUntilAnswered(street: Street, wish: Wish): Promise<ClaimingOutcome | undefined> {
  const { world } = street.cluster
  const { user_id, pass, key, product, quantity } = wish
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    // Impatient buyers press the button twice.
    const twice = world.chance(0.1)
    const send = () =>
      request(street, user_id, `claims ${product.id} x${quantity} (${key})`, ({ claiming }) =>
        claiming.claim({
          ...{ item_id: product.id, quantity, pass },
          claimant: async () => ({ order_id: street.newOrderId(), user_id }),
          ...{ visitor: {} as never, idempotency_key: key },
        }),
      )
    const answers = await Promise.all(twice ? [send(), send()] : [send()])
    let outcome: ClaimingOutcome | undefined
    for (const answer of answers)
      if (answer.kind === 'answer') {
        note(street, wish, answer.body)
        world.count(`claim: ${answer.body.kind}`)
        if (outcome?.kind !== 'claimed') outcome = answer.body
      }
    if (outcome !== undefined && outcome.kind !== 'unsettled') return outcome
    if (world.chance(0.1)) return undefined
    await pause(street, world.between(200, 2000))
  }
  return undefined
}

function note(
  { history }: Street,
  { user_id, key, product, quantity }: Wish,
  outcome: ClaimingOutcome,
): void {
  if (outcome.kind !== 'claimed') return
  const { order_id, receipt } = outcome
  history.acknowledged.set(order_id, { user_id, item_id: product.id, quantity, receipt })
  const told = history.told.get(`${user_id} ${key}`) ?? new Set()
  history.told.set(`${user_id} ${key}`, told.add(order_id))
}

/** Whoever was told "yours" asks what has become of it, and shows the receipt where nobody knows. */
export async function askAfter(street: Street, order_id: string, known: Acknowledged): Promise<void> {
  const { user_id } = known
  const { world } = street.cluster
  for (;;) {
    const view = await request(street, user_id, `asks after ${short(order_id)}`, async (web) => {
      const order = await web.viewOrder(user_id, order_id)
      return order?.status ?? 'unknown'
    })
    if (view.kind === 'answer') {
      if (view.body !== 'unknown') return
      const shown = await request(street, user_id, `shows the receipt of ${short(order_id)}`, (web) =>
        web.claiming.restore(user_id, known.receipt),
      )
      if (shown.kind === 'answer' && isFinal(shown.body)) {
        if (shown.body.kind !== 'claimed') known.refused = shown.body.kind
        world.count(`receipt: ${shown.body.kind}`)
        return
      }
    }
    await pause(street, 1000)
  }
}

const isFinal = ({ kind }: ClaimingOutcome) =>
  kind !== 'unsettled' &&
  kind !== 'fenced' &&
  kind !== 'unloaded' &&
  kind !== 'held_out' &&
  kind !== 'not_enough_left'
