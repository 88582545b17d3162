import { z } from 'zod'

/** What single settings may look like; see config.ts. A message says what the value should be, never what it is. */
export const seconds = (fallback: number) => z.coerce.number().positive().max(86_400).default(fallback)
/** On, where nobody says otherwise. */
export const onUnlessOff = z
  .enum(['0', '1'])
  .default('1')
  .transform((value) => value === '1')
export const flag = z
  .enum(['0', '1'])
  .default('0')
  .transform((value) => value === '1')
/** Bun shares a port among processes on Linux alone, where the kernel spreads connections over them. */
export const webProcesses = z.coerce
  .number()
  .int()
  .min(1)
  .max(64)
  .default(1)
  .refine(
    (count) => count === 1 || process.platform === 'linux',
    'several processes share a port on Linux only; elsewhere give each web process a PORT of its own, behind a proxy',
  )
export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
export const httpUrl = z.url({ protocol: /^https?$/, error: 'it must be an http:// or https:// URL' })
export const redisUrl = z
  .string()
  .regex(
    /^rediss?:\/\/[^,]+(,\s*rediss?:\/\/[^,]+)*$|^rediss?\+sentinel:\/\/([^@/]*@)?[^/?@]+\/[^/?]+(\?.*)?$/,
    'it must be a redis:// or rediss:// URL, those of some nodes of a cluster, separated by commas, or redis+sentinel://host:port,host:port/name',
  )
export const smtpUrl = z.string().regex(/^smtps?:\/\/[^\s/]/, 'it must be an smtp:// or smtps:// URL')
const ADDRESS = /^(?:[^\p{Cc}<>"@]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u
export const postgresUrl = z.string().regex(/^postgres(ql)?:\/\/./, 'each must be a postgres:// URL')
export const mailSender = z.string().regex(ADDRESS, 'it must be `Name <address>` or an address')

/** A variable that is set to nothing is not set. */
export const withoutEmpty = (env: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
