import { saleMoment, type SaleTimes } from '../../../src/contracts/sale-moment.ts'
import type { Phase, Sale } from '../shapes.ts'
import { Badge } from './page.tsx'

const LABELS: Readonly<Record<Phase, string>> = {
  scheduled: 'Scheduled',
  lobby: 'Lobby open',
  standby: 'Standby',
  open: 'Open',
  paused: 'Paused',
  held_out: 'All units held',
  sold_out: 'Sold out',
  ended: 'Ended',
  post_sale: 'Over',
}

type Standing = SaleTimes & Partial<Pick<Sale, 'phase'>>

/** Where a sale stands; by its times alone where the server does not say. */
export function phaseOf(sale: Standing, now = Date.now()): Phase {
  return sale.phase ?? saleMoment(sale, now)
}

export function PhaseBadge({ phase }: { phase: Phase }) {
  return <Badge of={phase}>{LABELS[phase]}</Badge>
}

export const isOver = (phase: Phase) => phase === 'ended' || phase === 'post_sale'
export const isBefore = (phase: Phase) => phase === 'scheduled' || phase === 'lobby'
