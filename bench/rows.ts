import type { Row } from './row.ts'
import { enterHttp, joinHttp, soldOutHttp, statusHttp } from './rows/answers-http.ts'
import { claimHttp, claimLatency } from './rows/claim-http.ts'
import { claimLua, claimWrapper } from './rows/claim-lua.ts'
import { claimToRow } from './rows/claim-to-row.ts'
import { orderPersistence } from './rows/orders.ts'
import { relay } from './rows/relay.ts'
import { sqlRows } from './rows/sql-hot-row.ts'
import { startUp } from './rows/start-up.ts'
import { ticketCheck } from './rows/ticket.ts'
import { enterRoom, joinRoom, waiterMemory } from './rows/waiting-room.ts'

/** Every row, in the order of the page. */
export const ROWS: readonly Row[] = [
  ...[
    claimLua,
    claimWrapper,
    claimHttp,
    claimLatency,
    soldOutHttp,
    joinHttp,
    joinRoom,
    enterHttp,
    enterRoom,
    statusHttp,
    ticketCheck,
  ],
  ...[orderPersistence, relay, ...sqlRows, claimToRow, waiterMemory, startUp],
]
