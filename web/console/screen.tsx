import type { ComponentChildren } from 'preact'
import type { ConsoleScreen } from '../../src/contracts/console.ts'
import { Head } from './parts/page.tsx'
import type { Place } from './route.ts'
import { Account } from './screens/account.tsx'
import { AuditLog } from './screens/audit.tsx'
import { DeadLetters } from './screens/dead-letters.tsx'
import { EditSale } from './screens/edit-sale.tsx'
import { LiveSale } from './screens/live-sale.tsx'
import { NewSale } from './screens/new-sale.tsx'
import { Notices } from './screens/notices.tsx'
import { Operators } from './screens/operators.tsx'
import { Order } from './screens/order.tsx'
import { Orders } from './screens/orders.tsx'
import { Oversell } from './screens/oversell.tsx'
import { OversoldItem } from './screens/oversold-item.tsx'
import { Reconciliation } from './screens/reconciliation.tsx'
import { Rehearse } from './screens/rehearse.tsx'
import { Sales } from './screens/sales.tsx'

const SCREENS: Readonly<Record<ConsoleScreen, (parameters: Place['parameters']) => ComponentChildren>> = {
  sales: () => <Sales />,
  newSale: () => <NewSale />,
  live: ({ sale = '' }) => <LiveSale key={sale} id={sale} />,
  editSale: ({ sale = '' }) => <EditSale key={sale} id={sale} />,
  rehearse: ({ sale = '' }) => <Rehearse key={sale} id={sale} />,
  orders: () => <Orders />,
  order: ({ order = '' }) => <Order key={order} id={order} />,
  deadLetters: () => <DeadLetters />,
  reconciliation: () => <Reconciliation />,
  oversell: () => <Oversell />,
  oversoldItem: ({ item = '' }) => <OversoldItem key={item} id={item} />,
  notices: () => <Notices />,
  audit: () => <AuditLog />,
  operators: () => <Operators />,
  account: () => <Account />,
}

export function Screen({ place: { screen, parameters } }: { place: Place }) {
  if (screen === undefined)
    return <Head title="There is no such screen" lead="The address is wrong, or the screen has moved." />
  return <>{SCREENS[screen](parameters)}</>
}
