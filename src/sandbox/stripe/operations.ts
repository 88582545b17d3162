import type { FaultsOf } from '../faults.ts'

/** Stripe's requests, as faults name them. */
export const operations = [
  'create',
  'retrieve',
  'list',
  'confirm',
  'capture',
  'cancel',
  'refund',
  'events',
] as const
export type Operation = (typeof operations)[number]
export type Faults = FaultsOf<Operation>
