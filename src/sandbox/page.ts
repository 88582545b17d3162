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
          :root {
            color-scheme: light dark;
            font:
              1.05rem/1.5 system-ui,
              sans-serif;
            background: light-dark(#eef1f5, #14171c);
          }
          body {
            max-width: 30rem;
            margin: 3rem auto;
            padding: 0 1rem;
          }
          main {
            padding: 1.75rem;
            border: 1px solid light-dark(#d5dbe3, #333a44);
            border-radius: 14px;
            background: light-dark(#fff, #1d2127);
          }
          h1 {
            margin: 0 0 0.75rem;
            font-size: 1.5rem;
          }
          form {
            margin-top: 1.5rem;
          }
          button,
          select {
            font: inherit;
            min-height: 2.75rem;
            padding: 0.5rem 1.25rem;
            margin: 0 0.75rem 0.75rem 0;
            border: 1px solid light-dark(#8b95a3, #717b89);
            border-radius: 10px;
            background: transparent;
            color: inherit;
          }
          button {
            font-weight: 600;
            cursor: pointer;
          }
          button:first-of-type {
            border-color: transparent;
            background: light-dark(#1f4b99, #9cc0ff);
            color: light-dark(#fff, #0c1a33);
          }
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
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
