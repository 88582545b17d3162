import { hostname } from 'node:os'
import { z } from 'zod'
import type { Role } from '../contracts/operators.ts'
import { SettingError } from './errors.ts'
import { KAFKA_ENVIRONMENT, readTopicLayout, type TopicLayout } from './kafka-settings.ts'
import { readOperators, readTokenKey } from './key-settings.ts'
import {
  type PaypalKeys,
  readPaypalKeys,
  readStripeKeys,
  required,
  type StripeKeys,
} from './provider-keys.ts'
import type { Listen } from './server.ts'
import {
  flag,
  httpUrl,
  list,
  mailSender,
  onUnlessOff,
  postgresUrl,
  redisUrl,
  seconds,
  smtpUrl,
  webProcesses,
  withoutEmpty,
} from './setting-shapes.ts'

/**
 * Settings in three steps: read the environment, check what depends on each other, keep secrets apart.
 * The only file that reads `process.env`. docs/operating.md lists every setting.
 */
const Environment = z.object({
  PROFILE: z.enum(['embedded', 'full']).default('embedded'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  WEB_PROCESSES: webProcesses,
  HEALTH_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  SHOP_URL: httpUrl.optional(),
  QUEUE_URL: httpUrl.optional(),
  OPS_URL: httpUrl.optional(),
  DATA_DIR: z.string().default('.data'),
  THEME_FILE: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  REDIS_ACCEPT_UNSAFE: flag,
  DATABASE_URLS: list.pipe(z.array(postgresUrl)),
  ...KAFKA_ENVIRONMENT,
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  CLOCK_OFFSET_MS: z.coerce.number().int().default(0),
  WORKER_NAME: z.string().min(1).max(100).default(hostname()),
  STRIPE_API_URL: httpUrl.default('https://api.stripe.com'),
  STRIPE_SECRET_KEY: z.string().optional(),
  STRIPE_PUBLISHABLE_KEY: z.string().optional(),
  STRIPE_WEBHOOK_SECRET: z.string().optional(),
  PAYPAL_API_URL: httpUrl.default('https://api-m.paypal.com'),
  PAYPAL_CLIENT_ID: z.string().optional(),
  PAYPAL_CLIENT_SECRET: z.string().optional(),
  PAYPAL_WEBHOOK_ID: z.string().optional(),
  SANDBOX_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  SANDBOX_WEBHOOK_URL: httpUrl.optional(),
  SANDBOX_PAYPAL_WEBHOOK_URL: httpUrl.optional(),
  AUTH: z.enum(['guest', 'jwt']).default('guest'),
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_JWT_KEY: z.string().min(32).optional(),
  AUTH_JWT_ISSUER: z.string().optional(),
  AUTH_JWT_AUDIENCE: z.string().optional(),
  CAPTCHA_PROVIDER: z.enum(['turnstile', 'hcaptcha', 'recaptcha']).optional(),
  CAPTCHA_SITE_KEY: z.string().optional(),
  CAPTCHA_SECRET: z.string().optional(),
  TOKEN_KEYS: list,
  SESSION_KEY: z.string().min(32).optional(),
  OPS_TOKEN: z.string().min(16).optional(),
  OPS_TOKENS: list,
  SMTP_URL: smtpUrl.optional(),
  MAIL_FROM: mailSender.optional(),
  CONTACT_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  MAILBOX_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  SHEDDING: onUnlessOff,
  LIVE_STREAMS_MAX: z.coerce.number().int().min(0).max(1_000_000).default(5000),
  OUTBOX_MAX: z.coerce.number().int().min(1).max(10_000_000).default(100_000),
  SWEEP_INTERVAL_S: seconds(0.5),
  RECONCILE_INTERVAL_S: seconds(30),
})

/** Names of all there is, but for the edge's. */
export const SETTINGS: readonly string[] = Object.keys(Environment.shape)
export interface Config {
  readonly profile: 'embedded' | 'full'
  /** `healthPort`: where a process tells of itself alone how it is; undefined: nowhere. */
  readonly http: Omit<Listen, 'fetch'> & { readonly healthPort: number | undefined }
  /** Public origins, without a trailing slash. */
  readonly urls: { readonly shop: string; readonly queue: string; readonly ops: string }
  readonly dataDir: string
  /** How pages and mails look; docs/theming.md. */
  readonly themeFile: string | undefined
  readonly logLevel: string
  readonly redis: { readonly url: string; readonly acceptUnsafe: boolean }
  readonly databaseUrls: readonly string[]
  readonly kafkaBrokers: readonly string[]
  readonly kafkaLayout: TopicLayout
  /** Proxies of ours in front, each of which appends to X-Forwarded-For. */
  readonly trustedProxies: number
  /** This worker in its consumer group: stable over restarts, unique among those that run. */
  readonly workerName: string
  /** For tests: how wrong this process's clock is. */
  readonly clockOffsetMs: number
  readonly stripe: { readonly apiUrl: string }
  readonly paypal: { readonly apiUrl: string }
  readonly sandbox: {
    readonly port: number
    readonly webhookUrl: string
    /** Of the local mailbox; undefined: there is none. */
    readonly mailboxPort: number | undefined
    readonly paypalWebhookUrl: string
  }
  readonly auth:
    | { readonly kind: 'guest' }
    | {
        readonly kind: 'jwt'
        readonly jwksUrl: string | undefined
        readonly issuer: string | undefined
        readonly audience: string | undefined
      }
  /** `contactDays`: until an address of a buyer is deleted. */
  readonly mail: { readonly from: string; readonly contactDays: number }
  /** Whether requests are turned away under load. */
  readonly shedding: boolean
  /** Event streams of stock that one process keeps open at a time. */
  readonly liveStreamsMax: number
  /** Events of an item that may wait for SQL; past it nothing new is claimed. */
  readonly outboxMax: number
  /** Seconds between two sweeps of the cleanup worker. */
  readonly sweepIntervalS: number
  readonly reconcileIntervalS: number
}

/** A signing key; the first of a list signs, all verify, so keys can rotate during a sale. */
export interface TokenKey {
  readonly kid: string
  readonly secret: Buffer
}

/** Who may give an operator's commands, and how they show it. */
export interface OperatorKey {
  readonly name: string
  readonly token: string
  readonly role: Role
}

/** Never logged, never part of `Config`. */
export interface Secrets {
  readonly tokenKeys: readonly TokenKey[]
  readonly session: Buffer
  /** `OPS_TOKEN` belongs to `operator`, each of `OPS_TOKENS` to the person named. */
  readonly operators: readonly OperatorKey[]
  readonly jwtKey: string | undefined
  /** Holds a password as a rule. Undefined: no mails. */
  readonly smtpUrl: string | undefined
  /** Undefined: the question of our own, which needs nobody. */
  readonly captcha:
    | {
        readonly provider: 'turnstile' | 'hcaptcha' | 'recaptcha'
        readonly siteKey: string
        readonly secret: string
        readonly hostnames: readonly string[]
      }
    | undefined
  readonly stripe: StripeKeys
  readonly paypal: PaypalKeys | undefined // the shop does not take it without
}

export type Env = Readonly<Record<string, string | undefined>>

/** The environment as it is, for the supervisor: it hands it on to the processes it starts. */
export const environment = (): Env => process.env

/** Reads and checks the settings. Throws SettingError naming the setting and what it should be. */
export function readConfig(env: Env = process.env): { config: Config; secrets: Secrets } {
  const parsed = Environment.safeParse(withoutEmpty(env))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new SettingError(`The setting ${String(issue?.path[0])} is not valid: ${issue?.message}`)
  }
  const e = parsed.data
  if (e.DATABASE_URLS.length === 0)
    throw new SettingError('DATABASE_URLS is missing: PostgreSQL URLs separated by commas, one per shard')
  if (e.PROFILE === 'full' && e.KAFKA_BROKERS.length === 0)
    throw new SettingError('KAFKA_BROKERS is missing: the full profile needs host:port of a Kafka broker')
  if (e.SMTP_URL !== undefined && e.MAIL_FROM === undefined)
    throw new SettingError('SMTP_URL needs MAIL_FROM: who the mails are from, `Name <address>`')
  if (e.AUTH === 'jwt' && e.AUTH_JWKS_URL === undefined && e.AUTH_JWT_KEY === undefined)
    throw new SettingError('AUTH=jwt needs AUTH_JWKS_URL or AUTH_JWT_KEY')

  const origin = (url: string | undefined, host: string) =>
    url === undefined ? `http://${host}.localhost:${e.PORT}` : new URL(url).origin
  const config: Config = {
    profile: e.PROFILE,
    http: { host: e.HOST, port: e.PORT, reusePort: e.WEB_PROCESSES > 1, healthPort: e.HEALTH_PORT },
    urls: {
      shop: origin(e.SHOP_URL, 'shop'),
      queue: origin(e.QUEUE_URL, 'queue'),
      ops: origin(e.OPS_URL, 'ops'),
    },
    dataDir: e.DATA_DIR,
    themeFile: e.THEME_FILE,
    logLevel: e.LOG_LEVEL,
    redis: { url: e.REDIS_URL, acceptUnsafe: e.REDIS_ACCEPT_UNSAFE },
    databaseUrls: e.DATABASE_URLS,
    kafkaBrokers: e.KAFKA_BROKERS,
    kafkaLayout: readTopicLayout(e),
    trustedProxies: e.TRUSTED_PROXIES,
    workerName: e.WORKER_NAME,
    clockOffsetMs: e.CLOCK_OFFSET_MS,
    stripe: { apiUrl: e.STRIPE_API_URL },
    paypal: { apiUrl: e.PAYPAL_API_URL },
    sandbox: {
      port: e.SANDBOX_PORT ?? e.PORT + 1,
      webhookUrl: e.SANDBOX_WEBHOOK_URL ?? `http://127.0.0.1:${e.PORT}/webhooks/stripe`,
      mailboxPort: e.MAILBOX_PORT,
      paypalWebhookUrl: e.SANDBOX_PAYPAL_WEBHOOK_URL ?? `http://127.0.0.1:${e.PORT}/webhooks/paypal`,
    },
    auth:
      e.AUTH === 'guest'
        ? { kind: 'guest' }
        : { kind: 'jwt', jwksUrl: e.AUTH_JWKS_URL, issuer: e.AUTH_JWT_ISSUER, audience: e.AUTH_JWT_AUDIENCE },
    mail: {
      from: e.MAIL_FROM ?? `no-reply@${new URL(origin(e.SHOP_URL, 'shop')).hostname}`,
      contactDays: e.CONTACT_RETENTION_DAYS,
    },
    shedding: e.SHEDDING,
    liveStreamsMax: e.LIVE_STREAMS_MAX,
    outboxMax: e.OUTBOX_MAX,
    sweepIntervalS: e.SWEEP_INTERVAL_S,
    reconcileIntervalS: e.RECONCILE_INTERVAL_S,
  }
  if (new Set(Object.values(config.urls).map((url) => new URL(url).hostname)).size < 3)
    throw new SettingError('SHOP_URL, QUEUE_URL and OPS_URL must have three different host names')
  const secrets: Secrets = {
    tokenKeys: e.TOKEN_KEYS.map(readTokenKey),
    session: Buffer.from(required(e.SESSION_KEY, 'SESSION_KEY', 'at least 32 random characters')),
    operators: readOperators(e.OPS_TOKEN, e.OPS_TOKENS),
    jwtKey: e.AUTH_JWT_KEY,
    smtpUrl: e.SMTP_URL,
    captcha: e.CAPTCHA_PROVIDER && {
      provider: e.CAPTCHA_PROVIDER,
      siteKey: required(e.CAPTCHA_SITE_KEY, 'CAPTCHA_SITE_KEY', 'of the CAPTCHA provider'),
      secret: required(e.CAPTCHA_SECRET, 'CAPTCHA_SECRET', 'of the CAPTCHA provider'),
      hostnames: [new URL(config.urls.queue).hostname],
    },
    stripe: readStripeKeys(e),
    paypal: readPaypalKeys(e),
  }
  if (secrets.tokenKeys.length === 0)
    throw new SettingError('TOKEN_KEYS is missing: kid:base64url pairs separated by commas; the first signs')
  if (new Set(secrets.tokenKeys.map(({ kid }) => kid)).size < secrets.tokenKeys.length)
    throw new SettingError('TOKEN_KEYS gives two keys the same kid')
  return { config, secrets }
}
