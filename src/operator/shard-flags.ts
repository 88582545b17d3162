/** Flag, help, and what it is where it is left out. */
type Flag = readonly [flag: string, help: string, fallback?: string]

const REASON: Flag = ['--reason <text>', 'why; kept in the audit log', 'by command line']

/** What the command line knows of logical shards; shard-commands.ts carries it out. */
export const SHARD_COMMANDS = [
  {
    usage: 'list',
    description: 'the servers, what each has of the 256 logical shards, and how many orders',
    flags: [],
  },
  {
    usage: 'move',
    description: 'move logical shards to a server, while the sale runs',
    flags: [
      ['--to <server>', 'number of the server, as `list` says it'],
      ['--count <n>', 'so many, from those that have most'],
      ['--logical <numbers>', 'these, for instance 3,17,40-55'],
      REASON,
    ],
  },
  {
    usage: 'balance',
    description: 'move as few as are needed for all servers to have the same number',
    flags: [['--without <server>', 'move everything off this server, which is to be taken away'], REASON],
  },
  {
    usage: 'cancel',
    description: 'leave where they are the logical shards of an interrupted move that have not left yet',
    flags: [REASON],
  },
] as const satisfies readonly { usage: string; description: string; flags: readonly Flag[] }[]

export type ShardUsage = (typeof SHARD_COMMANDS)[number]['usage']
