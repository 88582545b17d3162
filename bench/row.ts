/** One comparison: what we do, and what it is held against, with the same servers, settings and crowd. */
export interface Row {
  readonly name: string
  readonly title: string
  /** What is measured of each, as a phrase. */
  readonly ours: string
  readonly yardstick: string
  readonly unit: 'per second' | 'ms' | 'bytes'
  /** Which of two measurements is the better one. */
  readonly better: 'more' | 'less'
  /** Of ours / yardstick, where the project has set itself one: at least that, or at most where less is better. */
  readonly target?: number
  /** Most that ours may be, in the unit. */
  readonly most?: number
  /** What else one has to know to judge the number. */
  readonly note?: string
  /** Starts the servers and makes what both need. Throws where that fails; nothing is left behind then. */
  readonly prepare: (scale: Scale) => Promise<Prepared>
}

/** How much is measured: `--quick` shows that a row works, and little more. */
export interface Scale {
  readonly rounds: number
  of(quick: number, full: number): number
  /** Further environment of our web process; `--profile` has Bun write where its time went. */
  readonly webEnv: Readonly<Record<string, string>>
}

/** Both throw where an answer was not the one expected: a row that measures errors measures nothing. */
export interface Prepared extends AsyncDisposable {
  ours(): Promise<number>
  yardstick(): Promise<number>
}

/** Keeps `lanes` calls under way until `count` things are done, `perCall` a call; gives things a second. */
export async function rateOf(
  count: number,
  lanes: number,
  call: (from: number) => Promise<unknown>,
  perCall = 1,
): Promise<number> {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const from = next
      next += perCall
      await call(from)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  return (count / (performance.now() - start)) * 1000
}
