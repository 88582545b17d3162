/** Uniform in [0, 1). */
export type Random = () => number

/**
 * A random source of its own for each buyer, so that what a buyer does depends on the seed and its number alone and
 * not on how the answers of others interleave. Small fast counter (sfc32), seeded through FNV-1a.
 */
export function randomOf(seed: number, ...path: readonly (string | number)[]): Random {
  let hash = 0x811c9dc5
  for (const char of `${seed}/${path.join('/')}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  let [a, b, c, counter] = [hash | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1]
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // The first numbers of close seeds look alike.
  for (let round = 0; round < 12; round++) next()
  return next
}
