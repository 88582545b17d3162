import type { CaptchaChallenge } from '../../src/contracts/guard.ts'
import type { ProblemCode } from '../../src/contracts/problems.ts'
import type { Answer } from '../lib/api.ts'
import { fingerprint } from './fingerprint.ts'
import type { Prover } from './proof.ts'
import { stepUp } from './step-up.ts'

/** A new challenge, solved, puts these right. */
const PROVE_AGAIN: ReadonlySet<ProblemCode> = new Set([
  'proof_missing',
  'proof_invalid',
  'proof_expired',
  'proof_too_weak',
  'proof_used',
])
const MOST_TRIES = 6

/** Joins with a proof of work, and with an answer to the guard's question where it asks one. */
export async function provenJoin<Body>(
  prover: Prover,
  request: (proven: object) => Promise<Answer<Body>>,
): Promise<Answer<Body>> {
  let captcha: object = {}
  for (let tries = 1; ; tries += 1) {
    const proof = await prover.proof()
    if (proof.kind !== 'ok') return proof
    const answer = await request({ solution: proof.body, fingerprint: await fingerprint(), ...captcha })
    if (answer.kind !== 'problem' || tries === MOST_TRIES) {
      if (answer.kind === 'ok') prover.spend()
      return answer
    }
    const { problem } = answer
    if (PROVE_AGAIN.has(problem.code)) prover.spend()
    else if (problem.code === 'captcha_required') {
      const given = await stepUp((problem as typeof problem & { captcha: CaptchaChallenge }).captcha)
      if (given === undefined) return answer
      captcha = { captcha: given }
    } else return answer
  }
}
