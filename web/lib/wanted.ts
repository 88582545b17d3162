import { createMemory, type Memory } from './memory.ts'

/** The item a visitor came for, kept from its page until the checkout: the queue in between knows only the sale. */
export function wantedItem(sale: string): Memory<string> {
  return createMemory(() => localStorage, `doorbuster.wanted.${sale}`)
}
