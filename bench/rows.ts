import type { Row } from './row.ts'
import { claimLua, claimWrapper } from './rows/claim-lua.ts'

/** Every row, in the order of the page. */
export const ROWS: readonly Row[] = [claimLua, claimWrapper]
