/** For `program.option(flags, description)`; the values go to `simulate` as they are. */
export const SIMULATE_FLAGS: readonly { readonly flags: string; readonly description: string }[] = [
  { flags: '--seeds <n>', description: 'how many sales (1000)' },
  { flags: '--from <n>', description: 'the first seed (random)' },
  { flags: '--seed <n>', description: 'this one alone, with its whole trace' },
  { flags: '--jobs <n>', description: 'processes (one for each core)' },
  { flags: '--mutation <name>', description: 'plant a bug; `list` names them' },
  { flags: '--json', description: 'print the verdict as one JSON object on the last line' },
]
