import type { CaptchaAnswer, CaptchaChallenge } from '../../src/contracts/guard.ts'
import { byId } from '../lib/dom.ts'
import { solveAside } from './proof.ts'

/** Asks the visitor the guard's question, in plain text, and gives the answer; undefined where the page can not ask it. */
export async function askQuestion(challenge: CaptchaChallenge): Promise<CaptchaAnswer | undefined> {
  if (challenge.kind !== 'question') return undefined
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
