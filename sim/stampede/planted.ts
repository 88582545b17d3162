interface Bug {
  /** The script, and what is written there instead. */
  readonly script: string
  readonly edits: readonly (readonly [from: string, to: string])[]
}

/** Bugs that tests plant in the scripts, so that every invariant is seen to be able to break. */
export const PLANTED: Readonly<Record<string, Bug>> = {
  'sells what is not there': {
    script: 'inventory_claim',
    edits: [
      ["if item.available <= 0 then return item.held > 0 and 'held_out' or 'sold_out' end", ''],
      ['if item.available < terms.quantity then', 'if false then'],
    ],
  },
  'forgets the limit of a buyer': {
    script: 'inventory_claim',
    edits: [['active + terms.quantity > terms.limit', 'false']],
  },
  'lets in without a token': {
    script: 'queueEnter',
    edits: [
      ['counts.tokens = counts.tokens - TOKEN', 'counts.tokens = counts.tokens'],
      ['/ q.show\n', '/ q.show * 5\n'],
    ],
  },
  'lets in before the turn': {
    script: 'queueEnter',
    edits: [['if tonumber(position) > q.serving then', 'if false then']],
  },
  'refuses every other one': {
    script: 'queueEnter',
    edits: [
      [
        'local passed = was_passed(position)',
        'if position % 2 == 0 then return nil end\nlocal passed = false',
      ],
      ['count_ahead(position, passed and math.huge or math.min(room, tokens))', '0'],
      ['(passed or has_few_passed(position, math.min(tokens, places) - 1 - ahead))', 'true'],
    ],
  },
  'gives a position twice': {
    script: 'queueJoin',
    edits: [["redis.call('HINCRBY', key, 'tail', fresh)", "redis.call('HINCRBY', key, 'tail', fresh - 1)"]],
  },
  'loses the units of a hold that lapsed': {
    script: 'inventory_release',
    edits: [["'available', item.available + quantity", "'available', item.available"]],
  },
  'settles only in words': {
    script: 'inventory_settle',
    edits: [["'sold', item.sold + quantity", "'sold', item.sold"]],
  },
}

/** The source with the bug in it; throws where there is nothing to plant it in. */
export function plant(name: string, script: string, source: string): string {
  const bug = PLANTED[name]
  if (bug?.script !== script) return source
  return bug.edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${script} has changed, there is no: ${from}`)
    return text.replace(from, () => to)
  }, source)
}
