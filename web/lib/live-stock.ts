import { ask } from './api.ts'
import { pause, whenVisible } from './time.ts'
import type { Stock } from './types.ts'

const POLL_MS = 1000

/**
 * Tells `show` the stock of an item whenever it changes: by server-sent events, or by asking every second where
 * those do not come through (old proxies, a full server). Runs as long as the page.
 */
export function watchStock(itemId: string, show: (stock: Stock) => void): void {
  const source = new EventSource(`/api/items/${itemId}/stock/live`)
  source.addEventListener('stock', (event: MessageEvent<string>) => show(JSON.parse(event.data) as Stock))
  // The browser repairs a stream that broke by itself; CLOSED means the server refused it for good.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) void pollStock(itemId, show)
  })
}

/** Asks for the stock every second while the page can be seen. Runs as long as the page. */
export async function pollStock(itemId: string, show: (stock: Stock) => void): Promise<never> {
  for (;;) {
    await whenVisible()
    const answer = await ask<Stock>(`/api/items/${itemId}/stock`)
    if (answer.kind === 'ok') show(answer.body)
    await pause(POLL_MS * (0.9 + Math.random() * 0.2))
  }
}
