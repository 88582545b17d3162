import { ROLES } from '../../contracts/operators.ts'

/** Flag, help, and what it is where it is left out. */
type Flag = readonly [flag: string, help: string, fallback?: string]

const REASON: Flag = ['--reason <text>', 'why; kept in the audit log', 'by command line']
const STDIN: Flag = ['--password-stdin', 'read the password from standard input instead of making one']

/** What the command line knows of the operators' accounts; account-commands.ts carries it out. */
export const ACCOUNT_COMMANDS = [
  {
    usage: 'add <name>',
    description: 'add an account; its password is made and shown once',
    flags: [['--role <role>', ROLES.join(', '), 'viewer'], STDIN, REASON],
  },
  { usage: 'list', description: 'all accounts', flags: [] },
  {
    usage: 'password <name>',
    description: 'give an account another password, made and shown once; ends its sessions',
    flags: [STDIN, REASON],
  },
  {
    usage: 'disable <name>',
    description: 'nobody signs in with it any more; ends its sessions',
    flags: [REASON],
  },
  { usage: 'enable <name>', description: 'undo `disable`', flags: [REASON] },
  {
    usage: 'totp-off <name>',
    description: 'for somebody who has lost the authenticator app',
    flags: [REASON],
  },
] as const satisfies readonly { usage: string; description: string; flags: readonly Flag[] }[]

export type AccountUsage = (typeof ACCOUNT_COMMANDS)[number]['usage']
