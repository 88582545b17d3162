import type { Env } from '../config.ts'
import { readSecrets, type RunFile } from './data-dir.ts'

export const LOOPBACK = '127.0.0.1'

/** Where everything is to be found that starts at `port`; settings of the operator win. */
export function publicUrls(env: Env, port: number) {
  return {
    shop: env['SHOP_URL'] ?? `http://shop.localhost:${port}`,
    queue: env['QUEUE_URL'] ?? `http://queue.localhost:${port}`,
    ops: env['OPS_URL'] ?? `http://ops.localhost:${port}`,
  }
}

/** Both stand-ins listen on one port. PayPal's is left out where the operator has an account there. */
export function sandboxUrls(env: Env, port: number | undefined): Partial<RunFile['urls']> {
  if (port === undefined) return {}
  const stripe_sandbox = `http://127.0.0.1:${port}`
  return {
    stripe_sandbox,
    ...(env['PAYPAL_CLIENT_ID'] ? {} : { paypal_sandbox: `${stripe_sandbox}/paypal` }),
  }
}

/** What each of our processes finds in its environment, once `run` tells where everything is. `env`: the operator's. */
export function processSettings(run: RunFile, env: Env, dataDir: string): Env {
  const { urls, mailbox_port, edge_port } = run
  return {
    HOST: LOOPBACK,
    LOG_LEVEL: 'info',
    ...ourSecrets(dataDir),
    ...definedOnly(env),
    PROFILE: run.profile,
    PORT: String(run.port),
    WEB_PROCESSES: String(run.health_ports?.length || 1),
    HEALTH_PORT: '',
    DATA_DIR: dataDir,
    REDIS_URL: run.redis_url,
    DATABASE_URLS: run.database_urls.join(','),
    KAFKA_BROKERS: run.kafka_brokers.join(','),
    TRUSTED_PROXIES: String(run.trusted_proxies),
    ...(urls.stripe_sandbox === undefined
      ? {}
      : {
          STRIPE_API_URL: env['SANDBOX_URL'] || urls.stripe_sandbox,
          SANDBOX_PORT: new URL(urls.stripe_sandbox).port,
        }),
    ...(mailbox_port === undefined ? {} : mailboxEnv(mailbox_port, env)),
    ...paypalSettings(env, urls.paypal_sandbox),
    ...(edge_port === undefined ? {} : behindEdge(run, edge_port, env)),
  }
}

/** Visitors write the edge's port, and so does who sends webhooks; nobody but the edge reaches `web`. */
function behindEdge({ urls, port }: RunFile, edgePort: number, env: Env): Env {
  const webhooks = `http://${LOOPBACK}:${edgePort}/webhooks`
  return {
    ...{ SHOP_URL: urls.shop, QUEUE_URL: urls.queue, OPS_URL: urls.ops },
    EDGE_HOST: env['HOST'] || LOOPBACK,
    HOST: LOOPBACK,
    EDGE_PORT: String(edgePort),
    EDGE_ORIGINS: env['EDGE_ORIGINS'] || `${LOOPBACK}:${port}`,
    SANDBOX_WEBHOOK_URL: env['SANDBOX_WEBHOOK_URL'] || `${webhooks}/stripe`,
    SANDBOX_PAYPAL_WEBHOOK_URL: env['SANDBOX_PAYPAL_WEBHOOK_URL'] || `${webhooks}/paypal`,
  }
}

/** The keys we make ourselves fit only the sandbox: without it, PayPal is taken with the operator's keys or not at all. */
function paypalSettings(env: Env, sandbox: string | undefined): Env {
  // The same stand-in, by the way that the operator has put in between.
  if (sandbox !== undefined)
    return { PAYPAL_API_URL: env['SANDBOX_URL'] ? `${env['SANDBOX_URL']}/paypal` : sandbox }
  const names = ['PAYPAL_CLIENT_ID', 'PAYPAL_CLIENT_SECRET', 'PAYPAL_WEBHOOK_ID']
  return Object.fromEntries(names.map((name) => [name, env[name] ?? '']))
}

const mailboxEnv = (port: number, env: Env): Env => ({
  MAILBOX_PORT: String(port),
  SMTP_URL: `smtp://127.0.0.1:${port}`,
  MAIL_FROM: env['MAIL_FROM'] || 'Doorbuster <no-reply@shop.localhost>',
})

/** The admin's password is for people: no process of ours needs it. */
const ourSecrets = (dataDir: string): Env => ({ ...readSecrets(dataDir), ADMIN_PASSWORD: undefined })

const definedOnly = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))

/**
 * Who reaches us by the loopback interface is a proxy on this machine, or somebody who may do as they like here. Anywhere
 * else the operator has to say whom to believe.
 */
export function trustedProxies(env: Env): number {
  const { TRUSTED_PROXIES, HOST = LOOPBACK } = env
  if (TRUSTED_PROXIES) return Number(TRUSTED_PROXIES)
  return [LOOPBACK, '::1', 'localhost'].includes(HOST) ? 1 : 0
}
