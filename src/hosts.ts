import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { createPictureRoutes, storefrontPages } from './flow/catalogue/pages.ts'
import { catalogueRoutes } from './flow/catalogue/routes.ts'
import { createCardUse, giftCardRoutes, toView as viewGiftCard } from './flow/gift-cards/routes.ts'
import { PLAIN_CHECKOUT_PATH, plainCheckout } from './flow/inventory/plain.ts'
import { inventoryRoutes } from './flow/inventory/routes.ts'
import { giveContact, noticeRoutes } from './flow/notices/routes.ts'
import { createOrderView, orderRoutes } from './flow/orders/routes.ts'
import { plainPayment } from './flow/payments/plain.ts'
import { paymentRoutes } from './flow/payments/routes.ts'
import { PLAIN_QUEUE_PATH, plainWaitingRoom } from './flow/waiting-room/plain.ts'
import { waitingRoomRoutes } from './flow/waiting-room/routes.ts'
import { clientAddress } from './guard/client-address.ts'
import { CAPTCHA_ORIGINS } from './guard/guard.ts'
import { createDoorman } from './guard/doorman.ts'
import { createIdentity } from './guard/identity.ts'
import { createOperators } from './operator/operators.ts'
import { PICTURE_UPLOADS } from './operator/picture-routes.ts'
import { operatorRoutes } from './operator/routes.ts'
import type { Application } from './app.ts'
import { createEntrance, type Entrance } from './entrance.ts'
import { healthRoutes } from './health.ts'
import type { Assets } from './platform/assets.ts'
import { systemClock } from './platform/clock.ts'
import { cspReports } from './platform/csp-reports.ts'
import type { Asker } from './platform/asker.ts'
import { type AppEnv, createHttpApp } from './platform/http.ts'
import { openApiDocument } from './platform/openapi.ts'
import { languageOf, mountPages, pageSender } from './platform/pages.ts'
import { createPlainPages, formRoutes } from './platform/plain-pages.ts'
import { paypalPages, stripeCardFields } from './platform/provider-pages.ts'

export interface HostOptions {
  readonly assets: Assets
  /** Of the operator's host: buyers load nothing of the console. */
  readonly consoleAssets: Assets
  /** Aborted when the process stops: it is no longer ready, and open event streams end. */
  readonly stopping: AbortSignal
}

/** The HTTP contract (design, section 9): gate, shop and operator, each its own origin, here behind one port. */
export function createHosts(app: Application, { assets, consoleAssets, stopping }: HostOptions): Entrance {
  const { config, secrets, log, metrics, orders, payments, restock } = app
  const identity = createIdentity({ auth: config.auth, secrets, clock: app.clock })
  const findOrder = (user: string, id: string) => orders.find(user, id)
  const pages = createPlainPages(assets, {
    ...config.urls,
    elsewhere: payments.names.includes('paypal') ? paypalPages(config.paypal.apiUrl) : [],
  })
  const hosts = {
    queue: createHttpApp('queue', {
      log,
      metrics,
      origin: config.urls.queue,
      forms: formRoutes(pages, PLAIN_QUEUE_PATH),
    }),
    shop: createHttpApp('shop', {
      log,
      metrics,
      origin: config.urls.shop,
      forms: formRoutes(pages, PLAIN_CHECKOUT_PATH),
    }),
    ops: createHttpApp('ops', {
      log,
      metrics,
      origin: config.urls.ops,
      byToken: true,
      uploads: PICTURE_UPLOADS,
    }),
  }

  const addressOf = ({ env, req }: Asker) =>
    clientAddress(env, req.header('x-forwarded-for'), config.trustedProxies).address
  const visitor = (asker: Asker, device: string | undefined) => ({
    device,
    // Made only where no device is known.
    get network() {
      return `${addressOf(asker)} ${asker.req.header('user-agent') ?? ''}`
    },
  })
  const doorman = createDoorman({
    guard: app.guard,
    metrics,
    saleOf: async (item) => (await app.catalogue.product(item))?.sale_id,
  })
  const hotAtQueue = waitingRoomRoutes(hosts.queue, { ...app, doorman, visitor, shopUrl: config.urls.shop })
  plainWaitingRoom(hosts.queue, {
    ...app,
    pages,
    visitor,
    shopUrl: config.urls.shop,
    admitPlain: async (c, { sale, visitor: { device = '' }, form }) => {
      const { captcha_token: token, captcha_response: response } = form
      const captcha = token && response ? { token, response } : undefined
      const verdict = await doorman.joinByForm(c, { sale, device, captcha })
      return verdict.kind === 'question' ? verdict : { kind: 'admitted', decoy: verdict.kind === 'decoy' }
    },
    random: () => Math.random(),
    newId: () => randomUUID(),
  })

  const unitsOf = (item: string) => app.board.read(item)
  catalogueRoutes(hosts.shop, { ...app, unitsOf, queueUrl: config.urls.queue })
  const hotAtShop = inventoryRoutes(hosts.shop, { ...app, doorman, identity, visitor, stopping })
  const owing = (user: string) => app.payments.owing(user)
  const viewOrder = createOrderView({ ...app, owing, findHold: (user, id) => restock.findHold(user, id) })
  const cancel = (user: string, id: string) => restock.cancel(user, id)
  orderRoutes(hosts.shop, { ...app, owing, viewOrder, cancel, identity })
  noticeRoutes(hosts.shop, { ...app, viewOrder, identity })
  const finish = (user: string, id: string) => app.payments.finish(user, id)
  const cardUse = createCardUse({ ...app, findOrder, finish, doorman })
  plainCheckout(hosts.shop, {
    ...app,
    urls: config.urls,
    pages,
    identity,
    doorman,
    visitor,
    viewOrder,
    cancel,
    cardUse,
    giftCards: async (user) => (await app.giftCards.of(user)).map(viewGiftCard),
    giveContact: (c, user, id, email) => giveContact(app.notices, c, user, id, email),
    paypal: app.payments.names.includes('paypal'),
  })
  const onStart = async (
    c: Context<AppEnv>,
    { user_id, order_id }: { user_id: string; order_id: string },
  ) => {
    const email = app.notices.mails ? await identity.email(c).catch(() => undefined) : undefined
    if (email !== undefined) await app.notices.suggest(user_id, order_id, { email, language: languageOf(c) })
  }
  plainPayment(hosts.shop, { ...app, findOrder, onStart, identity, pages, urls: config.urls })
  paymentRoutes(hosts.shop, {
    ...app,
    findOrder,
    onStart,
    isProcessing: async (user, id) => (await restock.findHold(user, id)) !== undefined,
    identity,
    pageOf: ({ sale_id, order_id }) => `${config.urls.shop}/checkout/${sale_id}?order=${order_id}`,
  })

  giftCardRoutes(hosts.shop, { ...app, findOrder, cardUse, identity })

  const operators = createOperators({
    ...app,
    database: app.shards.catalogue,
    secret: secrets.session,
    onError: (error) => log.warn({ err: error }, 'sign-in limits'),
  })
  operatorRoutes(hosts.ops, {
    ...app,
    ...operators,
    addressOf,
    outboxMax: config.outboxMax,
    database: app.shards.catalogue,
    keys: secrets.operators,
    origin: config.urls.ops,
    queueUrl: config.urls.queue,
    stopping,
  })

  // Made when somebody asks: it takes long, and few do.
  const describe = () =>
    openApiDocument([
      { url: config.urls.queue, app: hosts.queue },
      { url: config.urls.shop, app: hosts.shop },
      { url: config.urls.ops, app: hosts.ops },
    ])
  let document: ReturnType<typeof describe> | undefined
  const captcha = secrets.captcha === undefined ? [] : CAPTCHA_ORIGINS[secrets.captcha.provider]
  const pageUrls = { ...config.urls, cards: stripeCardFields(config.stripe.apiUrl), captcha }
  storefrontPages(hosts.shop, {
    ...{ ...app, assets, unitsOf, urls: config.urls },
    send: pageSender('shop', pageUrls),
    notFound: (language) => assets.page('not-found', language),
  })
  const pictureRoutes = createPictureRoutes({ ...app, database: app.shards.catalogue })
  for (const [name, host] of Object.entries(hosts)) {
    pictureRoutes(host)
    healthRoutes(host, app, stopping)
    host.get('/openapi.json', (c) => c.json((document ??= describe())))
    cspReports(host, name, metrics)
    mountPages(host, name as keyof typeof hosts, name === 'ops' ? consoleAssets : assets, pageUrls)
  }

  void app.shedding.watch(systemClock, stopping)
  void app.live.report(stopping)
  return createEntrance({
    ...app,
    apps: hosts,
    hot: { queue: hotAtQueue, shop: hotAtShop },
    urls: config.urls,
  })
}
