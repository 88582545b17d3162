import { ask } from './api.ts'
import { pause, whenVisible } from './time.ts'
import type { Stock } from '../../src/contracts/shapes.ts'

const POLL_MS = 1000
/** The server says something at least every 15 s. */
const SILENCE_MS = 20_000
const FIRST_MS = 3000
/** A browser gives up a stream for good that was refused (a full server), so we ask for it again, each at a time of its own. */
const REOPEN_MS = 30_000

/**
 * Tells `show` the stock of an item whenever it changes: by server-sent events, and by asking every second as long as
 * those do not come through (a proxy that keeps them back, a full server). Hidden tabs give their stream back: a
 * browser has only six connections to a server without HTTP/2. Runs as long as the page.
 */
export function watchStock(itemId: string, show: (stock: Stock) => void): void {
  let heardAt = performance.now() - SILENCE_MS + FIRST_MS
  let source: EventSource | undefined
  let reopening: ReturnType<typeof setTimeout> | undefined
  const open = () => {
    source = new EventSource(`/api/items/${itemId}/stock/live`)
    source.addEventListener('stock', (event: MessageEvent<string>) => {
      heardAt = performance.now()
      show(JSON.parse(event.data) as Stock)
    })
    // After a connection that broke the browser goes on trying; until it has one, we ask.
    source.addEventListener('error', (event) => {
      heardAt = -Infinity
      if ((event.target as EventSource).readyState === EventSource.CLOSED)
        reopening = setTimeout(followVisibility, REOPEN_MS * (1 + Math.random()))
    })
  }
  const followVisibility = () => {
    source?.close()
    clearTimeout(reopening)
    if (!document.hidden) open()
  }
  document.addEventListener('visibilitychange', followVisibility)
  followVisibility()
  void pollStock(itemId, show, () => performance.now() - heardAt > SILENCE_MS)
}

/** Asks for the stock every second while the page can be seen and it is `needed`. Runs as long as the page. */
export async function pollStock(
  itemId: string,
  show: (stock: Stock) => void,
  needed = () => true,
): Promise<never> {
  for (;;) {
    await whenVisible()
    const answer = needed() ? await ask<Stock>(`/api/items/${itemId}/stock`) : undefined
    if (answer?.kind === 'ok') show(answer.body)
    await pause(POLL_MS * (0.9 + Math.random() * 0.2))
  }
}
