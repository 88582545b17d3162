import type { CaptchaAnswer, CaptchaChallenge } from '../../src/contracts/guard.ts'
import { byId } from '../lib/dom.ts'
import { solveAside } from './proof.ts'
import { solveWidget } from './widget.ts'

/** Has the visitor answer what the guard asks: a provider's widget, or a question in plain text. Undefined: it can not. */
export async function stepUp(challenge: CaptchaChallenge): Promise<CaptchaAnswer | undefined> {
  if (challenge.kind === 'question') return askQuestion(challenge)
  const response = await solveWidget(challenge)
  return response === undefined ? undefined : { response }
}

async function askQuestion(
  challenge: Extract<CaptchaChallenge, { kind: 'question' }>,
): Promise<CaptchaAnswer> {
  const proof = challenge.proof && solveAside(challenge.proof)
  byId('question').textContent = challenge.question
  const box = byId('question-box')
  const input = byId('answer', HTMLInputElement)
  const button = byId('answer-button', HTMLButtonElement)
  box.hidden = false
  button.disabled = false
  input.value = ''
  input.focus()
  const response = await new Promise<string>((resolve) => {
    byId('question-form').addEventListener(
      'submit',
      (event) => {
        event.preventDefault()
        resolve(input.value.trim())
      },
      { once: true },
    )
  })
  button.disabled = true
  const solution = await proof
  box.hidden = true
  return {
    response,
    token: challenge.token,
    ...(solution === undefined ? {} : { solution: { ...solution } }),
  }
}
