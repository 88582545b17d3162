import { positionIn, type Standing } from '../place.ts'
import type { QueueStatus } from '../shapes.ts'
import type { Say } from './say.ts'

/** What is told to those who go home without anything: labels and values. `standing`: undefined for whoever had no place. */
export function overFacts(
  say: Say,
  status: QueueStatus,
  standing?: Standing,
): readonly (readonly [string, string])[] {
  const { sold, total, now_serving, last_position } = status
  const position = standing && positionIn(status, standing)
  return [
    [say('waiting-room.over.sold'), say('common.of', { part: sold, whole: total })],
    [say('waiting-room.over.line'), say.count(last_position)],
    [say('waiting-room.over.served'), say.count(Math.min(now_serving, last_position))],
    ...(position === undefined ? [] : [[say('waiting-room.number'), say.count(position)] as const]),
  ]
}

/** By which rule it was decided, a paragraph each. */
export function overRules(say: Say, { draw, lanes }: QueueStatus): readonly string[] {
  return [
    say(draw === null ? 'waiting-room.fair.fifo' : 'waiting-room.fair.draw'),
    ...(Object.keys(lanes).length === 0 ? [] : [say('waiting-room.fair.lanes')]),
    say('waiting-room.fair.bought'),
  ]
}
