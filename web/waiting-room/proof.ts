import type { Challenge, ProofPayload } from '../../src/contracts/guard.ts'
import { type Answer, ask } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import type { SolveAnswer, SolveRequest } from './solver.worker.ts'

/** Workers that share one search; more would only make the page itself slow. */
const WORKERS = Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1))

/** Proofs of work for the joins of one sale. The first is worked on while the visitor reads. */
export interface Prover {
  /** A proof nobody has used: the one at hand, or a new one. A refused request for a challenge is handed on. */
  proof(): Promise<Answer<ProofPayload>>
  /** The proof at hand is spent, or was refused. */
  spend(): void
}

/** `device`: of this browser, as it is when a challenge is fetched. */
export function createProver(sale: string, device: () => string): Prover {
  const prove = async (): Promise<Answer<ProofPayload>> => {
    const query = new URLSearchParams({ device: device() })
    const answer = await ask<Challenge>(`/api/queue/${sale}/challenge?${query}`)
    if (answer.kind !== 'ok') return answer
    return { kind: 'ok', body: await solveAside(answer.body) }
  }
  let atHand: Promise<Answer<ProofPayload>> | undefined = prove()
  return {
    proof: async () => {
      const answer = await (atHand ??= prove())
      if (answer.kind !== 'ok') atHand = undefined
      return answer
    },
    spend: () => (atHand = undefined),
  }
}

/** Solves a challenge in workers, so that the page stays alive. */
export async function solveAside(challenge: Challenge): Promise<ProofPayload> {
  const workers = Array.from({ length: WORKERS }, () => new Worker(config.solver_url, { type: 'module' }))
  try {
    return await new Promise((resolve, reject) => {
      let searching = workers.length
      workers.forEach((worker, start) => {
        worker.onmessage = ({ data }: MessageEvent<SolveAnswer>) => {
          if (data.kind === 'solved') resolve({ challenge, solution: data.solution })
          else if (--searching === 0) reject(new Error('the challenge has no solution'))
        }
        worker.onerror = ({ message }) => reject(new Error(message))
        worker.postMessage({ challenge, start, step: workers.length } satisfies SolveRequest)
      })
    })
  } finally {
    for (const worker of workers) worker.terminate()
  }
}
