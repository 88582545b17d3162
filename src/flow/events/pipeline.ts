/** One step of a pipeline: works on one thing at a time, while the steps before it go on with what comes next. */
export interface Step {
  /** Waits until the work before is done, throws where that failed; then begins with this one and does not wait for it. */
  begin(work: () => Promise<void>): Promise<void>
  /** Resolves when nothing is under way; throws where what was under way failed. An error is thrown once. */
  idle(): Promise<void>
}

export function createStep(): Step {
  let underWay = Promise.resolve()
  const idle = () => {
    const before = underWay
    underWay = Promise.resolve()
    return before
  }
  return {
    begin: async (work) => {
      await idle()
      underWay = work()
      underWay.catch(() => undefined)
    },
    idle,
  }
}

/** Waits for steps that feed each other, the first of them first. Throws the first error, once nothing is under way. */
export async function allIdle(...steps: readonly Step[]): Promise<void> {
  const errors: unknown[] = []
  for (const step of steps) await step.idle().catch((error: unknown) => errors.push(error))
  if (errors.length > 0) throw errors[0]
}
