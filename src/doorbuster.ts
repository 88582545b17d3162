import { Command, Option } from 'commander'
import { ACCOUNT_COMMANDS } from './operator/accounts/account-flags.ts'
import { SHARD_COMMANDS } from './operator/shard-flags.ts'
import { addAll, command, dataDir, print, wholeNumber } from './platform/command-line.ts'
import { environment } from './platform/config.ts'
import { SettingError } from './platform/errors.ts'
import { readJsonFile } from './platform/project.ts'
import { ALONE } from './processes/alone.ts'
import { type Given, SIM_COMMANDS } from '../sim/commands.ts'
import { RUSH_FLAGS, STAMPEDE_FLAGS } from '../sim/options.ts'

// The command line. Each command imports what it needs when it runs, so that --help needs nothing.

const ROLES = ['web', 'relay', 'order-worker', 'cleanup', 'sandbox', 'edge'] as const

interface StartArguments {
  profile: 'embedded' | 'full'
  port: number
  webProcesses: number
  dataDir: string
  fresh?: boolean
  opensIn: number
  edge?: boolean
  kafkaBrokers?: number
  role?: (typeof ROLES)[number]
}

const program = new Command('doorbuster')
  .description(
    'A flash-sale system: a fair waiting room, claims that never oversell, orders never forgotten.',
  )
  .showSuggestionAfterError(false) // an error is one line

const profile = new Option('--profile <profile>', 'embedded: no JVM; full: Apache Kafka too')
  .choices(['embedded', 'full'] as const)
  .default('embedded' as const)
  .env('PROFILE')
const port = new Option('--port <port>', 'of shop, queue and operator; the Stripe sandbox takes the next one')
  .argParser(wholeNumber(1, 65_534))
  .default(8080)
  .env('PORT')

program
  .command('start')
  .description('start everything on this machine, or one process with --role')
  .addOption(profile)
  .addOption(port)
  .addOption(dataDir())
  .addOption(
    new Option('--web-processes <n>', 'how many share the port, on Linux')
      .argParser(wholeNumber(1, 64))
      .default(1)
      .env('WEB_PROCESSES'),
  )
  .option('--fresh', 'start empty: remove all data of earlier runs first')
  .addOption(
    new Option('--opens-in <seconds>', 'when the demo sale opens')
      .argParser(wholeNumber(0, 86_400))
      .default(60),
  )
  .addOption(
    new Option(
      '--kafka-brokers <n>',
      'of the full profile; three keep three copies and may lose one (1)',
    ).argParser(wholeNumber(1, 7)),
  )
  .addOption(
    new Option('--role <role>', 'only this process, in the foreground, set by the environment').choices(
      ROLES,
    ),
  )
  .option('--edge', 'nginx as a CDN in front, on --port; the full profile has it')
  .option('--no-edge', 'without')
  .action(async ({ role, opensIn, fresh = false, edge, kafkaBrokers, ...rest }: StartArguments) => {
    if (role !== undefined) {
      await import(`./processes/${role}.ts`)
      return
    }
    const { all } = await import('./processes/all.ts')
    const brokers = kafkaBrokers === undefined ? {} : { kafkaNodes: kafkaBrokers }
    await all({ ...rest, ...brokers, edge: edge ?? rest.profile === 'full', fresh, opensInS: opensIn, print })
  })

program
  .command('migrate')
  .description('bring the databases of DATABASE_URLS to the newest schema, and take in new ones, empty')
  .action(() =>
    command(async () => {
      const { migrate } = await import('./platform/migrate.ts')
      const { registerServers } = await import('./platform/shards/registry.ts')
      const urls = (environment()['DATABASE_URLS'] ?? '').split(',').filter(Boolean)
      if (urls.length === 0) throw new SettingError('DATABASE_URLS is missing: PostgreSQL URLs with commas')
      await migrate(urls)
      await registerServers(urls)
      print(`${urls.length} database${urls.length === 1 ? ' has' : 's have'} the newest schema`)
    }),
  )

for (const { name, description, usualPort, load } of ALONE)
  program
    .command(name)
    .description(description)
    .addOption(
      new Option('--port <port>', 'where it listens').argParser(wholeNumber(1, 65_535)).default(usualPort),
    )
    .addOption(dataDir())
    .action((options: { port: number; dataDir: string }) =>
      command(async (signal) => (await load())({ ...options, print }, signal)),
    )

const sale = program.command('sale').description('create a sale, open it now, pause, resume or end it')
sale
  .command('create <file>')
  .description('create a sale from a JSON file; NewSale in /openapi.json says what goes in')
  .addOption(dataDir())
  .action((file: string, options: { dataDir: string }) =>
    command(async () => {
      const { connectRunning } = await import('./operator/client.ts')
      const created = await connectRunning(options.dataDir).createSale(readJsonFile(file) as never)
      print(`${created.id} opens at ${new Date(created.opens_at).toISOString()}: ${created.queue_url}`)
    }),
  )
for (const name of ['open', 'pause', 'resume', 'end'] as const)
  sale
    .command(`${name} <sale>`)
    .description(`${name} a sale`)
    .requiredOption('--reason <text>', 'why; kept in the audit log')
    .addOption(dataDir())
    .action((id: string, options: { dataDir: string; reason: string }) =>
      command(async () => {
        const { connectRunning } = await import('./operator/client.ts')
        const changed = await connectRunning(options.dataDir).command(id, name, options.reason)
        print(`${changed.id} is ${changed.state}, opening time ${new Date(changed.opens_at).toISOString()}`)
      }),
    )

program
  .command('reconcile')
  .description('compare the stock in Redis with SQL, repair it, and report per item')
  .option('--item <id>', 'only this item')
  .requiredOption('--reason <text>', 'why; kept in the audit log')
  .addOption(dataDir())
  .action((options: { dataDir: string; item?: string; reason: string }) =>
    command(async () => {
      const { connectRunning } = await import('./operator/client.ts')
      const { runs } = await connectRunning(options.dataDir).reconcile(options.reason, options.item)
      for (const { item_id, outcome, drift, report } of runs)
        print(`${item_id}: ${outcome}, drift ${drift}, ${JSON.stringify(report)}`)
    }),
  )

for (const [name, description] of [
  ['units <item> <units>', 'set how many units of an item there are, after a count in the warehouse'],
  [
    'split <item> <parts>',
    'split the stock of a hot item into parts on several masters, before its sale opens',
  ],
  ['drift <item>', 'what SQL, Redis, outbox and event log each say of an item'],
  [
    'oversell [item]',
    'oversold items; of one, which orders would be cancelled; --approve <hash> approves that',
  ],
] as const)
  program
    .command(name)
    .description(description)
    .addOption(new Option('--token <token>', 'of the person who gives the command').env('OPERATOR_TOKEN'))
    .option('--approve <hash>', 'of the list that `oversell` showed')
    .option('--reason <text>', 'why; kept in the audit log')
    .addOption(dataDir())
    .action((item: string | undefined, ...rest: unknown[]) =>
      command(async () => {
        const { stockLines } = await import('./operator/stock-commands.ts')
        for (const line of await stockLines(name, item, rest)) print(line)
      }),
    )

const operator = program
  .command('operator')
  .description('accounts of the operator console, in the databases of DATABASE_URLS or of what runs here')
addAll(operator, ACCOUNT_COMMANDS, async (usage, given) => {
  const { accountLines } = await import('./operator/accounts/account-commands.ts')
  for (const line of await accountLines(usage, given, environment())) print(line)
})
const shards = program
  .command('shards')
  .description('which database has which buyers, and moving them while the sale runs')
addAll(shards, SHARD_COMMANDS, async (usage, [options]) => {
  const { shardCommand } = await import('./operator/shard-commands.ts')
  await shardCommand(usage, options as { dataDir: string }, environment(), print)
})

program
  .command('verify-draw <sale>')
  .description('recompute the draw of a sale from its published inputs; exit code 1 where they do not fit')
  .addOption(new Option('--index <n>', 'the position of this lobby index').argParser(wholeNumber(1, 2 ** 32)))
  .option('--url <queue url>', 'of a system elsewhere, for instance https://queue.example.com')
  .addOption(dataDir())
  .action((sale: string, { index, ...source }: { index?: number; url?: string; dataDir: string }) =>
    command(async () => {
      const { fetchDraw, verifyDraw } = await import('./operator/verify-draw.ts')
      const { verified, lines } = verifyDraw(await fetchDraw({ sale, ...source }), index)
      for (const line of lines) print(line)
      if (!verified) process.exitCode = 1
    }),
  )

program
  .command('events')
  .description('who works off the order log of the full profile, how far it is, and where Kafka keeps it')
  .addOption(dataDir())
  .action((options: { dataDir: string }) =>
    command(async () => {
      const { eventLines } = await import('./operator/event-commands.ts')
      for (const line of await eventLines(options.dataDir, environment())) print(line)
    }),
  )

program
  .command('mailbox [file]')
  .description('list the mails of the local mailbox, the newest first, or show one')
  .addOption(dataDir())
  .action((file: string | undefined, options: { dataDir: string }) =>
    command(async () => {
      const { mailboxLines } = await import('./sandbox/mailbox/mailbox.ts')
      for (const line of await mailboxLines(options.dataDir, file)) print(line)
    }),
  )

const rush = program
  .command('rush')
  .description('send a crowd of simulated buyers, then judge the outcome from the outside')
  .addOption(dataDir())
  .action((options: { dataDir: string }) =>
    command(async (signal) => {
      const { rushCommand } = await import('../sim/rush-command.ts')
      process.exitCode = await rushCommand({ ...options }, options.dataDir, signal)
    }),
  )
for (const { flags, description } of [...RUSH_FLAGS, ...STAMPEDE_FLAGS]) rush.option(flags, description)

for (const { usage, description, flags, run } of SIM_COMMANDS) {
  const one = program.command(usage).description(description)
  for (const flag of flags) one.option(flag.flags, flag.description)
  // Its argument, if it has one, comes before the options.
  one.action((...given: unknown[]) => {
    const [what, options] = typeof given[0] === 'string' ? [given[0], given[1]] : ['', given[0]]
    return command(
      async (signal) => void (process.exitCode = await run({ ...(options as Given) }, signal, what)),
    )
  })
}

await program.parseAsync()
