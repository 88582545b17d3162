import type { Second } from './measures.ts'
import type { Run } from './simulation.ts'
import { quantile, rankCorrelation } from './statistics.ts'

export type Summary = ReturnType<typeof summaryOf>

/** The numbers of a run: seconds of virtual time since the opening, bytes, requests. `null`: it did not come to that. */
export function summaryOf(run: Run) {
  const { options, seconds, admissions, outcomes, owners, broken, joined, memory, bots } = run
  const { buyers, units, seed, rate, arrival } = options
  const total = (of: (second: Second) => number) => seconds.reduce((sum, second) => sum + of(second), 0)
  const when = (holds: (second: Second) => boolean) => seconds.find(holds)?.at ?? null
  const peak = (of: (second: Second) => number) => seconds.reduce((most, one) => Math.max(most, of(one)), 0)
  const waits = admissions.map(({ waited }) => waited / 1000).sort((a, b) => a - b)
  const [origin, polls] = [total((second) => second.origin), total((second) => second.polls)]
  const round = (value: number, digits = 3) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null)
  return {
    ...{ seed, buyers, units, rate, arrival },
    sold: owners.length,
    sold_out_s: when(({ sold }) => sold === units),
    all_taken_s: when(({ at, available }) => at >= 0 && available === 0),
    joined,
    refused: total(({ refused }) => refused),
    admitted: admissions.length,
    gave_up: total(({ left }) => left),
    outcomes,
    peak_arrivals_per_s: peak(({ arrived }) => arrived),
    peak_waiting: run.deepest,
    peak_origin_per_s: peak((second) => second.origin),
    peak_edge_per_s: peak((second) => second.polls),
    wait_s: {
      p50: round(quantile(waits, 0.5)),
      p90: round(quantile(waits, 0.9)),
      p99: round(quantile(waits, 0.99)),
    },
    /** Spearman, of the order of arrival with the order of admission. */
    rank_correlation: round(
      rankCorrelation(
        admissions.map(({ visitor }) => visitor),
        admissions.map((_, index) => index),
      ),
      4,
    ),
    origin_requests: origin,
    edge_requests: polls,
    requests_per_visitor: round((origin + polls) / buyers),
    origin_requests_per_visitor: round(origin / buyers),
    /** Bytes of an answer of each kind, and calls of each script. */
    answer_bytes: run.answers,
    redis_calls: run.calls,
    bytes_per_visitor: Math.round(total(({ bytes }) => bytes) / buyers),
    bots: {
      share_of_joins: round(bots.joins / buyers),
      share_of_units: round(owners.filter((user) => user.startsWith('operator-')).length / owners.length),
    },
    virtual_s: seconds.length,
    wall_s: round(run.wallS, 1),
    cpu_s: { process: round(run.cpuS.process, 1), redis: round(run.cpuS.redis, 1) },
    events: run.events,
    memory: {
      process_peak_bytes: memory.rss,
      redis_peak_bytes: memory.redisMost,
      /** From the first second in which somebody joined. */
      redis_grown_bytes: memory.redisMost - memory.redisBegun,
      redis_grown_per_waiter: round((memory.redisMost - memory.redisBegun) / Math.max(1, run.deepest)),
    },
    broken: [...broken.found.keys()],
  }
}
