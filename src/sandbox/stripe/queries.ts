/** Reading: lists of payment intents and events, newest first. */
import { invalidRequest, missing } from './errors.ts'
import type { Params } from './form.ts'
import type { Reply } from './intents.ts'
import { showIntent, showList } from './render.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

export function listIntents(store: Store, work: Work, params: Params): Reply {
  const expand = params.list('expand').map((path) => path.replace(/^data\./, ''))
  const page = paginate(store.all('payment_intent'), params)
  params.refuseOthers()
  const data = page.rows.map((intent) => showIntent(work, intent, expand))
  return { body: showList('/v1/payment_intents', data, page.more) }
}

export function listEvents(store: Store, params: Params): Reply {
  const type = params.text('type')
  const types = params.list('types')
  const wanted = type === undefined ? types : [type]
  const rows = store
    .all('event')
    .filter((event) => wanted.length === 0 || wanted.some((name) => matches(name, event.type)))
  const page = paginate(rows, params)
  params.refuseOthers()
  return { body: showList('/v1/events', page.rows, page.more) }
}

export function getEvent(store: Store, id: string, params: Params): Reply {
  params.refuseOthers()
  const event = store.get('event', id)
  if (!event) throw missing('event', id, 'id', 404)
  return { body: event }
}

const matches = (wanted: string, type: string): boolean =>
  wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted

function paginate<T extends { id: string; created: number }>(
  all: T[],
  params: Params,
): { rows: T[]; more: boolean } {
  const limit = params.integer('limit') ?? 10
  if (limit < 1 || limit > 100) {
    throw invalidRequest('limit must be between 1 and 100', {
      code: 'parameter_invalid_integer',
      param: 'limit',
    })
  }
  const created = readCreated(params)
  const after = params.text('starting_after')
  const newest = all.toReversed()
  const start = after === undefined ? 0 : newest.findIndex((row) => row.id === after) + 1
  if (after !== undefined && start === 0) throw missing('object', after, 'starting_after')
  const rest = newest.slice(start).filter((row) => created(row.created))
  return { rows: rest.slice(0, limit), more: rest.length > limit }
}

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
}

/** `created=123` or `created[gte]=123`. */
function readCreated(params: Params): (created: number) => boolean {
  if (!params.isNested('created')) {
    const exact = params.integer('created')
    return (created) => exact === undefined || created === exact
  }
  const range = params.nested('created')
  const tests = Object.entries(comparisons).flatMap(([name, compare]) => {
    const bound = range?.integer(name)
    return bound === undefined ? [] : [(created: number) => compare(created, bound)]
  })
  range?.refuseOthers()
  return (created) => tests.every((test) => test(created))
}
