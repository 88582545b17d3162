import { expect, test } from 'bun:test'
import { hostname } from 'node:os'
import { type Env, readConfig } from './config.ts'
import { SettingError } from './errors.ts'

const secret = (byte: number) => Buffer.alloc(32, byte).toString('base64url')
const GOOD: Env = {
  DATABASE_URLS: 'postgres://one/a, postgres://two/b',
  TOKEN_KEYS: `k1:${secret(1)},k2:${secret(2)}`,
  SESSION_KEY: 's'.repeat(32),
  OPS_TOKEN: 'o'.repeat(16),
  STRIPE_SECRET_KEY: 'sk',
  STRIPE_PUBLISHABLE_KEY: 'pk',
  STRIPE_WEBHOOK_SECRET: 'wh',
}
const read = (change: Env = {}) => readConfig({ ...GOOD, ...change })

/** What the operator is told; fails where the settings are accepted or another kind of error comes. */
function complaint(change: Env): string {
  try {
    read(change)
  } catch (error) {
    expect(error).toBeInstanceOf(SettingError)
    return (error as Error).message
  }
  throw new Error(`accepted: ${JSON.stringify(change)}`)
}

test('the smallest environment, with the defaults of the rest', () => {
  const { config, secrets } = read()
  expect(config).toEqual({
    profile: 'embedded',
    http: { host: '127.0.0.1', port: 8080, reusePort: false, healthPort: undefined },
    urls: {
      shop: 'http://shop.localhost:8080',
      queue: 'http://queue.localhost:8080',
      ops: 'http://ops.localhost:8080',
    },
    dataDir: '.data',
    themeFile: undefined,
    logLevel: 'info',
    redis: { url: 'redis://127.0.0.1:6379', acceptUnsafe: false },
    databaseUrls: ['postgres://one/a', 'postgres://two/b'],
    kafkaBrokers: [],
    kafkaLayout: { partitions: 6, replication: undefined, minInSync: undefined },
    trustedProxies: 0,
    workerName: hostname(),
    clockOffsetMs: 0,
    stripe: { apiUrl: 'https://api.stripe.com' },
    paypal: { apiUrl: 'https://api-m.paypal.com' },
    sandbox: {
      port: 8081,
      webhookUrl: 'http://127.0.0.1:8080/webhooks/stripe',
      paypalWebhookUrl: 'http://127.0.0.1:8080/webhooks/paypal',
      mailboxPort: undefined,
    },
    auth: { kind: 'guest' },
    mail: { from: 'no-reply@shop.localhost', contactDays: 30 },
    shedding: true,
    liveStreamsMax: 5000,
    outboxMax: 100_000,
    sweepIntervalS: 0.5,
    reconcileIntervalS: 30,
  })
  expect(secrets.tokenKeys).toEqual([
    { kid: 'k1', secret: Buffer.alloc(32, 1) },
    { kid: 'k2', secret: Buffer.alloc(32, 2) },
  ])
  expect(secrets.session).toEqual(Buffer.from('s'.repeat(32)))
  expect(secrets.operators).toEqual([{ name: 'operator', token: 'o'.repeat(16), role: 'admin' }])
})

test('nothing secret is part of the config, which may be logged', () => {
  const { config } = read({ AUTH: 'jwt', AUTH_JWT_KEY: 'j'.repeat(32) })
  const text = JSON.stringify(config)
  for (const value of [secret(1), 's'.repeat(32), 'o'.repeat(16), 'j'.repeat(32), '"sk"', '"wh"'])
    expect(text).not.toContain(value)
})

test('PayPal is optional, but not by half', () => {
  expect(read().secrets.paypal).toBeUndefined()
  const keys = { PAYPAL_CLIENT_ID: 'c', PAYPAL_CLIENT_SECRET: 's', PAYPAL_WEBHOOK_ID: 'w' }
  expect(read(keys).secrets.paypal).toEqual({ clientId: 'c', clientSecret: 's', webhookId: 'w', live: true })
  for (const name of Object.keys(keys))
    expect(complaint({ ...keys, [name]: '' })).toStartWith(`${name} is missing`)
})

test('an empty value is a missing one', () => {
  expect(read({ PORT: '', SHOP_URL: '', AUTH: '' }).config).toEqual(read().config)
  expect(complaint({ OPS_TOKEN: '' })).toStartWith('OPS_TOKEN is missing')
})

test('public addresses become origins', () => {
  const { urls } = read({
    SHOP_URL: 'https://shop.example/path/?a=b',
    QUEUE_URL: 'https://Queue.example:443/',
  }).config
  expect(urls).toEqual({
    shop: 'https://shop.example',
    queue: 'https://queue.example',
    ops: 'http://ops.localhost:8080',
  })
})

test('several web processes share their port, on Linux', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
  try {
    Object.defineProperty(process, 'platform', { ...platform, value: 'linux' })
    expect(read({ WEB_PROCESSES: '2' }).config.http.reusePort).toBe(true)
    expect(read({ WEB_PROCESSES: '1' }).config.http.reusePort).toBe(false)
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' })
    expect(read({ WEB_PROCESSES: '1' }).config.http.reusePort).toBe(false)
    expect(complaint({ WEB_PROCESSES: '2' })).toInclude('on Linux only')
  } finally {
    Object.defineProperty(process, 'platform', platform)
  }
})

const BAD: Record<string, readonly string[]> = {
  PROFILE: ['both', 'Full'],
  PORT: ['x', '-1', '65536', '80.5', '0x'],
  SHOP_URL: ['shop', 'shop.example:80', 'ftp://shop.example', 'mailto:a@b.example', 'http://'],
  QUEUE_URL: ['queue', 'file:///queue'],
  OPS_URL: ['ops', 'javascript:1'],
  LOG_LEVEL: ['loud'],
  REDIS_URL: [
    '127.0.0.1:6379',
    'http://redis',
    'redis://a,b',
    'redis://a,',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1,b:2/',
  ],
  REDIS_ACCEPT_UNSAFE: ['yes', 'true'],
  DATABASE_URLS: ['localhost/a', 'postgres://one/a,mysql://two/b'],
  WEB_PROCESSES: ['0', '65', '1.5', 'many'],
  WORKER_NAME: ['x'.repeat(101)],
  STRIPE_API_URL: ['stripe', 'ftp://stripe.example'],
  SANDBOX_PORT: ['x', '65536'],
  PAYPAL_API_URL: ['paypal', 'ftp://paypal.example'],
  SANDBOX_WEBHOOK_URL: ['here'],
  SANDBOX_PAYPAL_WEBHOOK_URL: ['here'],
  AUTH: ['none', 'JWT'],
  AUTH_JWKS_URL: ['keys', 'file:///keys'],
  AUTH_JWT_KEY: ['short'],
  TOKEN_KEYS: [
    ...['k1', 'k1:', `:${secret(1)}`, `k 1:${secret(1)}`, `k1:${secret(1).slice(1)}`, `${secret(1)}`],
    ...[`k1:${secret(1)}:x`, `k1:${secret(1)}!`, `k1:${secret(1)},k1:${secret(2)}`, ','],
  ],
  SESSION_KEY: ['short'],
  OPS_TOKEN: ['short'],
  OPS_TOKENS: [
    ...['ann', 'ann:', 'ann:short', ':tttttttttttttttt', 'Ann B:tttttttttttttttt', 'ann:tttttttttttttt tt'],
    ...['ann:tttttttttttttttt,ann:uuuuuuuuuuuuuuuu', 'ann:tttttttttttttttt,bob:tttttttttttttttt'],
    ...['operator:tttttttttttttttt', `ann:${'o'.repeat(16)}`],
    // A role that is misspelt must not become part of the token of an admin.
    ...['ann:tttttttttttttttt:viewr', 'ann:tttttttttttttttt:', 'ann:tttttttttttttttt:viewer:x'],
  ],
  SMTP_URL: ['mail.example', 'http://mail.example', 'smtp://'],
  MAIL_FROM: ['shop', 'a@b@c', 'Shop <a@b', 'Shop <a@b>\r\nBcc: <c@d>', '"Shop" <a@b>'],
  CONTACT_RETENTION_DAYS: ['0', '-1', 'x', '3651'],
  MAILBOX_PORT: ['x', '65536'],
  SWEEP_INTERVAL_S: ['0', '-1', 'x', '86401'],
  RECONCILE_INTERVAL_S: ['0', 'often'],
}
for (const [name, values] of Object.entries(BAD))
  test(`a wrong ${name} is one line that names it and does not repeat its value`, () => {
    for (const value of values) {
      const message = complaint({ [name]: value })
      expect(message).toContain(name)
      expect(message).not.toContain('\n')
      if (/KEY|TOKEN/.test(name) && value.length > 2) expect(message).not.toContain(value)
    }
  })

test('what is missing is named, with what it should be', () => {
  for (const name of Object.keys(GOOD)) {
    const message = complaint({ [name]: undefined })
    expect(message).toMatch(new RegExp(`^${name} is missing: .{10,}`))
    expect(message).not.toContain('\n')
  }
})

test('operators by name, with a role or as admins', () => {
  const operators = (change: Record<string, string | undefined>) => read(change).secrets.operators
  const [ann, bob] = ['a'.repeat(16), 'b_'.repeat(8)]
  const named = [
    { name: 'ann', token: ann, role: 'admin' as const },
    { name: 'bob.b', token: bob, role: 'viewer' as const },
  ]
  expect(operators({ OPS_TOKENS: `ann:${ann}, bob.b:${bob}:viewer` })).toEqual([
    { name: 'operator', token: 'o'.repeat(16), role: 'admin' },
    ...named,
  ])
  expect(operators({ OPS_TOKEN: undefined, OPS_TOKENS: `ann:${ann}:admin,bob.b:${bob}:viewer` })).toEqual(
    named,
  )
})

test('Redis behind sentinels', () => {
  for (const url of [
    'redis+sentinel://a:1,b:2/shop',
    'rediss+sentinel://user:p%2Fw@a,b/shop?sentinel_password=x',
  ])
    expect(read({ REDIS_URL: url }).config.redis.url).toBe(url)
})

test('what depends on each other', () => {
  expect(complaint({ PROFILE: 'full' })).toStartWith('KAFKA_BROKERS is missing')
  expect(read({ PROFILE: 'full', KAFKA_BROKERS: 'a:1, b:2,' }).config.kafkaBrokers).toEqual(['a:1', 'b:2'])
  const asked = { KAFKA_PARTITIONS: '24', KAFKA_REPLICATION: '3', KAFKA_MIN_IN_SYNC: '2' }
  expect(read(asked).config.kafkaLayout).toEqual({ partitions: 24, replication: 3, minInSync: 2 })
  expect(complaint({ KAFKA_PARTITIONS: '0' })).toStartWith('The setting KAFKA_PARTITIONS is not valid')
  // Also of the three copies that are made when nobody says how many.
  for (const copies of [{ KAFKA_REPLICATION: '2' }, {}])
    expect(complaint({ ...copies, KAFKA_MIN_IN_SYNC: copies.KAFKA_REPLICATION ? '3' : '4' })).toStartWith(
      'KAFKA_MIN_IN_SYNC is more than the copies there are',
    )
  expect(complaint({ AUTH: 'jwt' })).toBe('AUTH=jwt needs AUTH_JWKS_URL or AUTH_JWT_KEY')
  expect(complaint({ SMTP_URL: 'smtps://u:secret@mail.example' })).toBe(
    'SMTP_URL needs MAIL_FROM: who the mails are from, `Name <address>`',
  )
  expect(read({ SMTP_URL: 'smtps://u:p@mail.example', MAIL_FROM: 'Shöp <a@b.example>' })).toMatchObject({
    config: { mail: { from: 'Shöp <a@b.example>' } },
    secrets: { smtpUrl: 'smtps://u:p@mail.example' },
  })
  // The Host header tells the three apart.
  for (const change of [
    { SHOP_URL: 'https://sale.example', QUEUE_URL: 'https://sale.example/queue' },
    { QUEUE_URL: 'http://a.example:1', OPS_URL: 'http://a.example:2' },
  ])
    expect(complaint(change)).toBe('SHOP_URL, QUEUE_URL and OPS_URL must have three different host names')
})

test.each([
  ['sk_live_1', true],
  ['rk_live_1', true],
  ['sk_1', true],
  ['sk_test_1', false],
  ['rk_test_1', false],
])('a Stripe key %s takes real money: %p', (STRIPE_SECRET_KEY, live) =>
  expect(read({ STRIPE_SECRET_KEY }).secrets.stripe.live).toBe(live),
)
test.each([
  [undefined, true],
  ['https://api-m.paypal.com', true],
  ['https://api.paypal.com', true],
  ['https://api-m.sandbox.paypal.com', false],
  ['http://127.0.0.1:8081/paypal', false],
])('PayPal at %p takes real money: %p', (url, live) => {
  const keys = { PAYPAL_CLIENT_ID: 'c', PAYPAL_CLIENT_SECRET: 's', PAYPAL_WEBHOOK_ID: 'w' }
  expect(read({ ...keys, ...(url === undefined ? {} : { PAYPAL_API_URL: url }) }).secrets.paypal?.live).toBe(
    live,
  )
})
