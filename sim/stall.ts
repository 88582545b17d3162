/** Watches how long this process itself was too busy to act: the longest delay of a timer, in ms. */
export function watchStalls(): { readonly longestMs: () => number; stop(): void } {
  const everyMs = 50
  let [before, longest] = [performance.now(), 0]
  const timer = setInterval(() => {
    const time = performance.now()
    longest = Math.max(longest, time - before - everyMs)
    before = time
  }, everyMs)
  timer.unref()
  return { longestMs: () => longest, stop: () => clearInterval(timer) }
}
