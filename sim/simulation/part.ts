import { simulate } from './simulation.ts'

/** What one process found: a line of JSON for every so many seeds. */
export interface Part {
  readonly seeds: number
  readonly tally: Readonly<Record<string, number>>
  readonly broken: readonly Broken[]
}
export interface Broken {
  readonly seed: number
  readonly violations: readonly { readonly invariant: number; readonly what: string }[]
}

const EVERY = 50

/** Simulates the seeds from `first` on, and tells `report` of them a few at a time. */
export async function simulatePart(
  { first, count, mutation }: { first: number; count: number; mutation: string },
  report: (part: Part) => void,
): Promise<void> {
  for (let done = 0; done < count;) {
    const seeds = Math.min(EVERY, count - done)
    const tally: Record<string, number> = {}
    const broken: Broken[] = []
    for (let number = 0; number < seeds; number += 1) {
      const { seed, violations, tally: counted } = await simulate(first + done + number, { mutation })
      for (const [what, times] of counted) tally[what] = (tally[what] ?? 0) + times
      if (violations.length > 0) broken.push({ seed, violations })
    }
    report({ seeds, tally, broken })
    done += seeds
  }
}

if (import.meta.main) {
  const [first = '', count = '', mutation = ''] = process.argv.slice(2)
  await simulatePart({ first: Number(first), count: Number(count), mutation }, (part) =>
    console.log(JSON.stringify(part)),
  )
}
