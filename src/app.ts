import { createHmac, randomBytes } from 'node:crypto'
import { giftCodeOf } from './contracts/gift-cards.ts'
import type { ItemId } from './contracts/ids.ts'
import { createEventLog } from './event-log.ts'
import { createGuard, rememberSettings, siteverifyCaptcha } from './guard/guard.ts'
import { createCatalogue } from './flow/catalogue/catalogue.ts'
import { createBacklogLimit } from './flow/inventory/backlog-limit.ts'
import { createGiftCards } from './flow/gift-cards/gift-cards.ts'
import { type ClaimCommand, createClaiming } from './flow/inventory/claiming.ts'
import { createInventory, outboxKey } from './flow/inventory/inventory.ts'
import { createStockBoard } from './flow/inventory/stock-board.ts'
import { createNotices } from './flow/notices/notices.ts'
import { createOrders } from './flow/orders/orders.ts'
import { createOversell } from './flow/oversell/oversell.ts'
import { createPayments, type PaymentProvider } from './flow/payments/payments.ts'
import { createPaypalProvider } from './flow/payments/paypal.ts'
import { createStripeProvider } from './flow/payments/stripe.ts'
import { steadyProvider } from './flow/payments/steady-provider.ts'
import { createDriftReport, createReconcile } from './flow/reconcile/reconcile.ts'
import { createRestock } from './flow/restock/restock.ts'
import { createWaitingRoom, sqlMarkStore } from './flow/waiting-room/waiting-room.ts'
import { createCommands } from './operator/commands.ts'
import { createEditSale } from './operator/edit-sale.ts'
import { createLive } from './operator/live/live.ts'
import { createRehearsals, rehearsalRule } from './operator/rehearsals.ts'
import { insertAudit } from './operator/sql.ts'
import { shiftedClock, type Clock } from './platform/clock.ts'
import type { Config, Secrets } from './platform/config.ts'
import { isConnectionError } from './platform/errors.ts'
import { connectMailServer, type MailServer } from './platform/mail.ts'
import type { Shards } from './platform/postgres.ts'
import { connectShards } from './platform/shards/shards.ts'
import { followServerClock, redisTime } from './platform/server-clock.ts'
import { connectRedis, refuseUnsafe, type RedisConnection } from './platform/redis.ts'
import { createShedding } from './platform/shedding.ts'
import { createLog, createMetrics, type Log } from './platform/telemetry.ts'
import { readTheme } from './platform/theme/theme.ts'
import { createTokens } from './platform/tokens.ts'

/** What a process says of itself, and what a test may put in place of the real thing. */
export interface Overrides {
  /** The process's name in the logs. */
  readonly process?: string
  readonly clock?: Clock
  readonly log?: Log
  readonly redis?: RedisConnection
  readonly shards?: Shards
  readonly providers?: readonly PaymentProvider[]
  readonly mail?: MailServer
}

export type Application = Awaited<ReturnType<typeof createApp>>

/**
 * The composition root: the whole flow, wired. Each process takes the parts it runs. Throws SettingError where Redis
 * is set so that selling would not be safe, or the theme is not good.
 */
export async function createApp(config: Config, secrets: Secrets, overrides: Overrides = {}) {
  const theme = readTheme(config.themeFile)
  const log = overrides.log ?? createLog(config.logLevel, overrides.process ?? 'doorbuster')
  const metrics = createMetrics()
  const onError = (error: Error) => log.warn({ err: error }, 'connection')
  const redis = overrides.redis ?? (await connectRedis({ url: config.redis.url, onError }))
  const closing = new AbortController()
  const clock =
    overrides.clock ??
    (await followServerClock(
      shiftedClock(config.clockOffsetMs),
      () => redisTime(redis.commands),
      closing.signal,
    ))
  if (!config.redis.acceptUnsafe) await refuseUnsafe(redis)
  const onChange = (state: 'open' | 'closed') =>
    log.warn(
      state === 'open' ? 'a database does not answer; it is left alone for a moment' : 'a database is back',
    )
  const onMisfit = (error: unknown) => log.error({ err: error }, 'a database is left out')
  const shards = overrides.shards ?? connectShards(config.databaseUrls, { onError, onChange, onMisfit })
  await shards.ready().catch((error: unknown) => {
    if (!isConnectionError(error)) throw error
    log.warn({ err: error }, 'it is not known yet which database has which buyers')
  })
  const tokens = createTokens(secrets.tokenKeys)

  const shedding = createShedding({
    on: config.shedding,
    onShed: (kind) => metrics.shed.inc({ kind }),
  })
  const catalogue = createCatalogue({ database: shards.catalogue, clock })
  const partsOf = async (item: ItemId) => (await catalogue.product(item))?.stock_parts ?? 1
  const inventory = createInventory({ redis, partsOf })
  const runIdOf = (item: ItemId) => redis.runId(outboxKey(item))
  const board = createStockBoard({ inventory, clock })
  const waitingRoom = createWaitingRoom({
    redis,
    tokens,
    clock,
    catalogue,
    marks: sqlMarkStore(shards.catalogue),
    stock: async (sale) => board.sum((await catalogue.products(sale)).map(({ id }) => id)),
    pollStretch: () => shedding.stretch(),
  })
  const guard = createGuard({
    redis,
    clock,
    // Made from the session key: a secret of its own would have to be set, kept and rotated for nothing.
    secret: createHmac('sha256', secrets.session).update('guard').digest(),
    trustedProxyHops: config.trustedProxies,
    settingsOf: rememberSettings((sale) => catalogue.guard(sale)),
    ...(secrets.captcha === undefined ? {} : { captcha: siteverifyCaptcha(secrets.captcha) }),
    onError: (error) => log.warn({ err: error }, 'guard'),
  })
  const orders = createOrders({ shards })
  const { mayCharge, mayMove } = rehearsalRule(catalogue, secrets)
  const newCode = () => giftCodeOf(randomBytes(16))
  const giftCards = createGiftCards({ shards, orders, newCode, mayMove })
  const payments = createPayments({
    shards,
    orders,
    providers:
      overrides.providers ??
      createProviders(config, secrets, clock).map((provider) =>
        steadyProvider(provider, { clock, random: () => Math.random() }),
      ),
    settle: (order) => inventory.settle(order.item_id, order.order_id, order.user_id),
    giftPart: (sql, user, order) => giftCards.part(user, order, sql),
    mayCharge,
    log,
  })
  const restock = createRestock({ inventory, orders, payments, catalogue, log })
  const mail =
    overrides.mail ??
    (secrets.smtpUrl === undefined
      ? undefined
      : connectMailServer({ url: secrets.smtpUrl, from: config.mail.from }))
  const notices = createNotices({
    shards,
    catalogue,
    mail,
    shopUrl: config.urls.shop,
    contactDays: config.mail.contactDays,
    theme,
    clock,
    random: () => Math.random(),
    log,
  })
  const eventLog = createEventLog(config, { redis, clock, log, consumer: config.workerName })
  const live = createLive({ redis, clock, catalogue, inventory, waitingRoom, shards, eventLog, log })
  const claiming = createClaiming({
    inventory,
    board,
    runId: runIdOf,
    waitingRoom,
    catalogue,
    isBacklogFull: createBacklogLimit({ ...inventory, clock }, config.outboxMax),
    findOrder: (user, id) => orders.find(user, id),
    endLost: (claim) => oversell.endLost(claim),
    tokens,
    clock,
  })
  const reconcile = createReconcile({
    inventory,
    orders,
    catalogue,
    database: shards.catalogue,
    runId: runIdOf,
    eventLog,
    clock,
    log,
  })
  const driftReport = createDriftReport({
    inventory,
    orders,
    catalogue,
    eventLog,
    database: shards.catalogue,
    runId: runIdOf,
  })
  const oversell = createOversell({
    shards,
    database: shards.catalogue,
    orders,
    catalogue,
    giftCards,
    inventory,
    reconcile,
    audit: insertAudit,
    log,
  })
  const commands = createCommands({
    database: shards.catalogue,
    catalogue,
    inventory,
    waitingRoom,
    reconcile,
    eventLog,
    clock,
  })

  const editSale = createEditSale({ catalogue, inventory, waitingRoom, reconcile, clock })
  const rehearsals = createRehearsals({ database: shards.catalogue, catalogue, commands, clock })

  return {
    config,
    secrets,
    theme,
    clock,
    log,
    metrics,
    shedding,
    redis,
    shards,
    catalogue,
    inventory,
    board,
    waitingRoom,
    guard,
    orders,
    giftCards,
    payments,
    restock,
    notices,
    claiming: { ...claiming, claim: live.counter.claims((command: ClaimCommand) => claiming.claim(command)) },
    live,
    eventLog,
    reconcile,
    driftReport,
    oversell,
    commands,
    editSale,
    rehearsals,
    close: async () => {
      closing.abort()
      await live.counter.flush().catch(() => undefined)
      await eventLog.close()
      if (overrides.mail === undefined) mail?.close()
      await Promise.all([
        overrides.redis === undefined ? redis.close() : undefined,
        overrides.shards === undefined ? shards.close() : undefined,
      ])
    },
  }
}

function createProviders(config: Config, secrets: Secrets, clock: Clock): PaymentProvider[] {
  const { stripe, paypal } = secrets
  return [
    // It is for `steadyProvider` to try again.
    createStripeProvider({ ...stripe, apiUrl: config.stripe.apiUrl, clock, maxNetworkRetries: 0 }),
    ...(paypal === undefined
      ? []
      : [createPaypalProvider({ ...paypal, apiUrl: config.paypal.apiUrl, clock })]),
  ]
}
