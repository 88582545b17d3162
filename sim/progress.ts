/** How far a run is: a bar that stays on its line on a terminal, a line now and then elsewhere. On stderr. */
export interface Progress {
  stop(): void
}

export function startProgress(total: number, describe: () => { done: number; text: string }): Progress {
  const { stderr } = process
  const started = performance.now()
  const line = () => {
    const { done, text } = describe()
    const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(3)
    const filled = Math.round((30 * done) / Math.max(1, total))
    return `${seconds} s [${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${text}`
  }
  const draw = () => stderr.write(stderr.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`)
  const timer = setInterval(draw, stderr.isTTY ? 200 : 2000)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      draw()
      if (stderr.isTTY) stderr.write('\n')
    },
  }
}
