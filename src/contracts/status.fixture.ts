import type { QueueStatus } from './shapes.ts'

/** A public status with everything a test does not care about filled in. */
export function status(given: Partial<QueueStatus>): QueueStatus {
  return {
    phase: 'open',
    server_time: 1_000_000,
    lobby_opens_at: null,
    opens_at: 900_000,
    now_serving: 0,
    last_position: 1000,
    rate_per_second: 10,
    lanes: {},
    available: 50,
    held: 30,
    sold: 20,
    total: 100,
    message: '',
    rehearsal: false,
    draw: null,
    poll: { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 },
    ...given,
  }
}
