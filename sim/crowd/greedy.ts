import { claim, type Pass } from './claiming.ts'
import type { BuyerPlan } from './plan.ts'
import type { Browser, Scene } from './scene.ts'
import { waitInLine } from './waiting.ts'

/** Keys of its further claims are none that it used before. */
const FURTHER = 100
/** Once more than the chaos sale's limit leaves room for. */
const PLACES = 2

/** Tries for more than its share: with the pass it has used, then in line again as somebody else's device. */
export async function tryForMore(scene: Scene, plan: BuyerPlan, browser: Browser, used: Pass): Promise<void> {
  await claim(scene, plan, browser, used, FURTHER)
  for (let place = 1; place <= PLACES && !scene.over(); place++) {
    const again = { ...plan, device: `${plan.device}-more-${place}`, impatient: false, losesAnswer: false }
    const admission = await waitInLine(scene, again)
    if (admission.kind !== 'admitted') return
    await claim(scene, again, browser, admission)
  }
}
