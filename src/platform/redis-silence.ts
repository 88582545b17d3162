import type { Redis } from 'ioredis'
import { RedisSilent } from './redis-failure.ts'

/** A server that owes answers and gave none for so long is sent nothing more. */
const SILENCE_MS = 1000
/** Most commands that may wait for an answer on one connection. */
const MAX_WAITING = 10_000

/** The parts of the client that it does not show; its own socketTimeout is made of the same two. */
interface Inside {
  readonly commandQueue: { readonly length: number }
  readonly stream: { on(event: 'data', listener: () => void): unknown }
}

/**
 * The circuit breaker of one connection. It needs no timer and no probe: what was sent before is the probe, and the first
 * answer to it closes the circuit again. So a server that hangs gets what it was sent in its first silent second
 * and nothing of what came after, and whoever asks meanwhile hears at once that nothing was sent.
 * Answers whether the connection is silent now.
 */
export function refuseInSilence(node: Redis): () => boolean {
  const inside = node as unknown as Inside
  let heardAt = 0
  let looking = false
  let confirmed = false
  const heard = () => {
    heardAt = performance.now()
    confirmed = false
  }
  node.on('connect', () => inside.stream.on('data', heard))
  const overdue = () => inside.commandQueue.length > 0 && performance.now() - heardAt > SILENCE_MS
  /** Where we are late ourselves the answer may lie there unread: it is read before this is confirmed. */
  const confirm = () => {
    looking = false
    confirmed = overdue()
  }
  const silent = () => {
    if (!overdue()) return false
    if (!confirmed && !looking) {
      looking = true
      setImmediate(() => setImmediate(confirm))
    }
    return confirmed
  }

  const refusal = () => {
    // Nothing is owed: the silence begins with what is sent now.
    if (inside.commandQueue.length === 0) heard()
    if (silent()) return new RedisSilent('Redis has not answered for a second; nothing was sent')
    if (inside.commandQueue.length >= MAX_WAITING)
      return new RedisSilent(`${MAX_WAITING} commands wait for Redis; nothing was sent`)
    return undefined
  }
  const send = node.sendCommand.bind(node)
  let pipeline: unknown
  let refused: RedisSilent | undefined
  node.sendCommand = (command, stream) => {
    // A pipeline is sent whole or not at all: its parts go out together, when the last of them is there.
    if (stream === undefined || stream !== pipeline) refused = refusal()
    pipeline = stream
    if (refused === undefined) return send(command, stream)
    command.reject(refused)
    return command.promise
  }
  return silent
}
