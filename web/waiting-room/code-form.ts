import { explain } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'
import type { Tickets } from './ticket.ts'

/** Lets people of a group change over into its line; without a good code they keep the place they have. */
export function wireCodeForm(tickets: Tickets): void {
  const button = byId('code-button', HTMLButtonElement)
  byId('code-form').addEventListener('submit', (event) => {
    event.preventDefault()
    void change()
  })

  async function change(): Promise<void> {
    button.disabled = true
    notice(byId('code-answer'), undefined)
    const answer = await tickets.joinGroup(byId('code', HTMLInputElement).value.trim())
    if (answer.kind === 'ok') return location.reload()
    button.disabled = false
    const { title, detail } = explain(answer)
    notice(byId('code-answer'), { title: `${title}.`, detail })
  }
}
