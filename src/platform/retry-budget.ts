/**
 * Retries as a share of calls. Each call pays in, each retry takes one out: while everything fails, the load behind grows by
 * that share and no more, however many callers would like to try again.
 */
export interface RetryBudget {
  /** A call is made for the first time. */
  called(): void
  /** True, and paid for, where one more retry is affordable. */
  take(): boolean
}

export interface RetryBudgetOptions {
  /** Retries per call. */
  readonly share?: number
  /** What may be saved up; also what there is to begin with. */
  readonly most?: number
}

export function createRetryBudget({ share = 0.1, most = 10 }: RetryBudgetOptions = {}): RetryBudget {
  let saved = most
  return {
    called: () => void (saved = Math.min(most, saved + share)),
    take: () => {
      // Sums of tenths: a whole retry is there when all but a rounding error of it is.
      if (saved < 1 - 1e-9) return false
      saved -= 1
      return true
    },
  }
}
