import type { RedisCommands } from './redis.ts'

type Arg = string | number | Buffer

/** A Lua script with its inputs named: KEYS and ARGV are built in one place, from an object. */
export interface Script<Input, Result> {
  readonly name: string
  run(redis: RedisCommands, input: Input): Promise<Result>
}

export interface ScriptDefinition<Input, Result> {
  /** Names the command on the client; unique in the project. */
  readonly name: string
  readonly source: string
  /** All keys the script touches; on one cluster slot. */
  readonly keys: (input: Input) => string[]
  readonly args: (input: Input) => Arg[]
  readonly result: (reply: unknown, input: Input) => Result
}

type Command = (numberOfKeys: number, ...rest: Arg[]) => Promise<unknown>

/**
 * Pairs a Lua source with its wrapper. The client sends EVALSHA and falls back to EVAL on NOSCRIPT, so a
 * SCRIPT FLUSH or a new server is not noticed.
 */
export function defineScript<Input, Result>(
  definition: ScriptDefinition<Input, Result>,
): Script<Input, Result> {
  return {
    name: definition.name,
    run: async (redis, input) => {
      const client = redis as unknown as Record<string, Command | undefined>
      if (client[definition.name] === undefined)
        redis.defineCommand(definition.name, { lua: definition.source })
      const keys = definition.keys(input)
      const reply = await client[definition.name]?.call(
        redis,
        keys.length,
        ...keys,
        ...definition.args(input),
      )
      return definition.result(reply, input)
    },
  }
}
