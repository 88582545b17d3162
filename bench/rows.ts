import type { Row } from './row.ts'
import { joinHttp, soldOutHttp, statusHttp } from './rows/answers-http.ts'
import { claimHttp, claimLatency } from './rows/claim-http.ts'
import { claimLua, claimWrapper } from './rows/claim-lua.ts'

/** Every row, in the order of the page. */
export const ROWS: readonly Row[] = [
  ...[claimLua, claimWrapper, claimHttp, claimLatency, soldOutHttp, joinHttp, statusHttp],
]
