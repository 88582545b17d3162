/** Pages that a person sees in a sandbox: plain, without scripts. */
import { html } from 'hono/html'

export function page(title: string, body: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          body {
            font:
              1.1rem system-ui,
              sans-serif;
            max-width: 32rem;
            margin: 4rem auto;
            padding: 0 1rem;
          }
          button,
          select {
            font: inherit;
            padding: 0.5rem 1.5rem;
            margin: 0 1rem 1rem 0;
          }
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`
}

export function formatAmount(minorUnits: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** Waits until the caller hangs up or the sandbox closes: an answer that never comes. */
export function untilAborted(...signals: AbortSignal[]): Promise<void> {
  const either = AbortSignal.any(signals)
  if (either.aborted) return Promise.resolve()
  return new Promise((resolve) => either.addEventListener('abort', () => resolve(), { once: true }))
}
