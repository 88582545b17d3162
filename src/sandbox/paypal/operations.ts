import type { FaultsOf } from '../faults.ts'

/** PayPal's requests, as faults name them; `approve` is what the buyer's browser does. */
export const operations = [
  'token',
  'create',
  'retrieve',
  'approve',
  'authorize',
  'capture',
  'void',
  'refund',
] as const
export type Operation = (typeof operations)[number]
export type Faults = FaultsOf<Operation>
