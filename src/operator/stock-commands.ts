import { SettingError } from '../platform/errors.ts'
import { connectRunning, type OperatorClient } from './client.ts'

// What the commands about stock print, line by line.

async function unitsLines(client: OperatorClient, item: string, units: number, reason: string) {
  const { outcome, drift } = await client.setUnits(item, units, reason)
  return [`${item} has ${units} units: ${outcome}, drift ${drift}`]
}

async function driftLines(client: OperatorClient, item: string): Promise<string[]> {
  return JSON.stringify(await client.drift(item), null, 2).split('\n')
}

async function splitLines(client: OperatorClient, item: string, parts: number, reason: string) {
  const { outcome } = await client.split(item, parts, reason)
  return [`the stock of ${item} is split into ${parts} parts: ${outcome}`]
}

interface Options {
  readonly dataDir: string
  readonly token?: string
  readonly approve?: string
  readonly reason?: string
}

/** `rest`: what commander hands over after the first argument: further arguments, then the options. */
export async function stockLines(
  name: string,
  item: string | undefined,
  rest: readonly unknown[],
): Promise<string[]> {
  const options = rest.find((one) => typeof one === 'object' && one !== null && 'dataDir' in one) as Options
  const client = connectRunning(options.dataDir, options.token)
  if (item === undefined || name.startsWith('oversell')) return oversellLines(client, item, options)
  if (name.startsWith('drift')) return driftLines(client, item)
  const number = typeof rest[0] === 'string' && /^\d{1,8}$/.test(rest[0]) ? Number(rest[0]) : undefined
  if (number === undefined) throw new SettingError('how many units or parts there are is a whole number')
  if (options.reason === undefined) throw new SettingError('--reason is missing: it is kept in the audit log')
  if (name.startsWith('split')) return splitLines(client, item, number, options.reason)
  return unitsLines(client, item, number, options.reason)
}

/** Oversold items; of one, exactly what would be cancelled; with a hash, the approval of that. */
async function oversellLines(
  client: OperatorClient,
  item: string | undefined,
  { approve, reason }: { approve?: string; reason?: string },
): Promise<string[]> {
  if (item === undefined) {
    const { items } = await client.oversold()
    const lines = items.map((one) => `${one.item_id}: ${one.oversold} of ${one.paid + one.pending} too many`)
    return lines.length === 0 ? ['nothing is oversold'] : lines
  }
  if (approve !== undefined) {
    if (reason === undefined) throw new SettingError('--approve needs --reason: it is kept in the audit log')
    const plan = await client.approve(item, approve, reason)
    const names = plan.approvals.map(({ operator }) => operator).join(', ')
    return [`${item}: ${plan.state}, ${plan.orders} orders, approved by ${names} (${plan.persons} needed)`]
  }
  const { preview, plan } = await client.oversell(item)
  const last =
    plan === null ? [] : [`latest plan: ${plan.state}, ${plan.cancelled} of ${plan.orders} orders cancelled`]
  if (preview === null) return [`${item} is not oversold`, ...last]
  return [
    `${item}: ${preview.oversold} units too many, these orders would be cancelled:`,
    ...preview.orders.map(
      (one) =>
        `  ${one.order_id} claim ${one.claim_seq}, ${one.quantity} x, ${one.status} ${one.amount} ${one.currency}, card ${one.gift}`,
    ),
    `approve with: doorbuster oversell ${item} --approve ${preview.hash} --reason "..."`,
    ...last,
  ]
}
