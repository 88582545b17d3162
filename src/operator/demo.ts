import { readFile } from 'node:fs/promises'
import { projectPath } from '../platform/project.ts'
import { type OperatorClient, Refused } from './client.ts'

export const DEMO_SALE = 'demo'

/** What the pictures in `demo-pictures/` show; each was drawn as the `.svg` beside it. */
const PICTURES: Readonly<Record<string, string>> = {
  'aurora-tv-55': 'A flat television on a wooden sideboard, showing northern lights over mountains',
  'nimbus-headphones': 'Dark blue over-ear headphones with light brown leather pads',
  'pebble-speaker': 'A round, stone-grey loudspeaker the size of a pebble, with three buttons on its top',
}

/**
 * The sale a newcomer finds: three products, one of them with 100 units. One that is there already, from an earlier
 * start, stays as it is.
 */
export async function seedDemo(operator: OperatorClient, opensAt: number): Promise<'created' | 'exists'> {
  try {
    await operator.createSale({
      id: DEMO_SALE,
      name: 'Doorbuster demo',
      opens_at: opensAt,
      rate_per_second: 20,
      message: 'This is the demo sale. Nothing is charged: pay with card 4242 4242 4242 4242.',
      products: [
        {
          id: 'aurora-tv-55',
          name: 'Aurora TV 55"',
          description: 'A 55-inch OLED television at a fifth of its price. 100 units, one each.',
          amount: 19_900,
          currency: 'EUR',
          units: 100,
        },
        {
          id: 'nimbus-headphones',
          name: 'Nimbus headphones',
          description: 'Wireless, noise-cancelling, two at the most.',
          amount: 7_900,
          currency: 'EUR',
          units: 500,
          per_buyer_limit: 2,
        },
        {
          id: 'pebble-speaker',
          name: 'Pebble speaker',
          description: 'Ten of these, and ten only.',
          amount: 2_900,
          currency: 'EUR',
          units: 10,
        },
      ],
      reason: 'demo sale of a first start',
    })
    for (const [item, alt] of Object.entries(PICTURES)) {
      const picture = await readFile(projectPath(`src/operator/demo-pictures/${item}.webp`))
      await operator.setPicture(item, picture, alt, 'demo sale of a first start')
    }
    return 'created'
  } catch (error) {
    if (error instanceof Refused && error.code === 'already_exists') return 'exists'
    throw error
  }
}
