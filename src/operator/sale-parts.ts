import { randomBytes } from 'node:crypto'
import { commitmentTo } from '../contracts/draw.ts'
import { GuardSettings } from '../guard/guard.ts'

/** Nobody chooses the secret of a draw, and nobody sees it before the sale has opened. */
export function newDraw(order: 'fifo' | 'draw') {
  const draw_secret = order === 'draw' ? randomBytes(32).toString('hex') : null
  return { draw_secret, draw_commitment: draw_secret === null ? null : commitmentTo(draw_secret) }
}

/** What is wrong with the guard's settings, if anything. */
export function misfit(guard: Record<string, unknown>): string | undefined {
  const issue = GuardSettings.safeParse(guard).error?.issues[0]
  return issue && `\`guard.${issue.path.join('.')}\`: ${issue.message}`
}
