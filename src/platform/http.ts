import { OpenAPIHono, z } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import { CaptchaChallenge } from '../contracts/guard.ts'
import type { Role } from '../contracts/operators.ts'
import { PROBLEMS, type ProblemCode } from '../contracts/problems.ts'
import { Problem } from './errors.ts'
import { ownOriginOnly } from './origin.ts'
import { badRequest, headersOf, PROBLEM_HEADERS, problemOf, requestIdOf } from './problem-answer.ts'
import { CSP_REPORTS_PATH } from './security-headers.ts'
import { type Log, type Metrics, noteAnswer } from './telemetry.ts'

/** What every handler finds in its context. */
export interface Variables {
  requestId: string
  /** Who is signed in on the operator's host. */
  operator?: string
  role?: Role
}
export type AppEnv = {
  Variables: Variables
  /** Who spoke to our socket: the client, or the last proxy before us. */
  Bindings: { readonly address?: string }
}
export type App = OpenAPIHono<AppEnv>

export const MAX_BODY_BYTES = 16 * 1024
/** Of a provider's event, which holds whole objects; believed only with a signature. */
const MAX_WEBHOOK_BYTES = 256 * 1024
const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] as const

/** The body of every error, for the OpenAPI document. */
const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().optional(),
    captcha: CaptchaChallenge.optional().describe('With `captcha_required`: what to answer'),
    request_id: z.string().optional(),
  })
  .openapi('Problem')

/**
 * `responses` of a route: the problems it can answer with, grouped by status; each may be turned away under load, and
 * one for operators by a role that is too low or a page that is not ours.
 */
export function problems(...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>()
  const forOperators: ProblemCode[] = codes.includes('operator_only')
    ? ['role_too_low', 'origin_refused']
    : []
  for (const code of new Set<ProblemCode>([...codes, ...forOperators, 'overloaded']))
    byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code])
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('. '),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  )
}

/** `responses` entry for a JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** `request.body` of a route that takes JSON. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } } as const
}

/** Addresses that browsers without scripts use: they post forms to them, and refusals are pages. */
export interface FormRoutes {
  readonly path: RegExp
  readonly problem: (c: Context<AppEnv>, problem: Problem) => Response
}

/** Addresses that take a file as their body. */
export interface UploadRoutes {
  readonly path: RegExp
  /** What it may say it is. */
  readonly type: RegExp
  readonly maxBytes: number
}

export interface HttpAppParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly forms?: FormRoutes
  /** Own origin: what changes something must come from it. */
  readonly origin?: string
  /** Whether who brings a token may come from anywhere. */
  readonly byToken?: boolean
  readonly uploads?: UploadRoutes
}

/** An app with our problem format, request ids, body limits, logs and metrics. One per host. */
export function createHttpApp(
  host: string,
  { log, metrics, forms, origin, byToken, uploads }: HttpAppParts,
): App {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      if (!result.success) return sendProblem(c, badRequest(result.error.issues))
    },
  })
  app.use(observe(host, log, metrics))
  app.use(nameMethods(app))
  if (origin !== undefined) app.use(ownOriginOnly(origin, byToken))
  app.use(limitBody(uploads))
  app.use(requireJson(forms, uploads))
  app.notFound((c) => sendProblem(c, new Problem('not_found')))
  app.onError((error, c) => {
    const problem = problemOf(error, c.get('requestId'), log)
    return forms !== undefined && readsPages(c, forms) ? forms.problem(c, problem) : sendProblem(c, problem)
  })
  return app
}

/** Whether the answer is for a browser that shows it as it is. */
function readsPages(c: Context<AppEnv>, forms: FormRoutes): boolean {
  const { path } = c.req
  if (forms.path.test(path)) return true
  return !path.startsWith('/api/') && (c.req.header('accept') ?? '').includes('text/html')
}

/** Turns "nothing here" into "not with this method" where the address has other methods. */
function nameMethods(app: App) {
  const has = (method: string, path: string) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method)
  return createMiddleware<AppEnv>(async (c, next) => {
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
    if (!has(method, c.req.path)) {
      const allow = METHODS.filter((other) => has(other === 'HEAD' ? 'GET' : other, c.req.path))
      if (allow.length > 0)
        throw new Problem('method_not_allowed', `There is ${allow.join(', ')}.`, { allow })
    }
    await next()
  })
}

const limitTo = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem('body_too_large', `A body may have at most ${maxSize} bytes.`)
    },
  })
const [limitUsual, limitWebhook] = [limitTo(MAX_BODY_BYTES), limitTo(MAX_WEBHOOK_BYTES)]
function limitBody(uploads: UploadRoutes | undefined) {
  const limitUpload = limitTo(uploads?.maxBytes ?? 0)
  return createMiddleware<AppEnv>((c, next) => {
    const { path } = c.req
    const limit = path.startsWith('/webhooks/')
      ? limitWebhook
      : uploads?.path.test(path)
        ? limitUpload
        : limitUsual
    return limit(c, next)
  })
}

/** Without this a browser form could post text that happens to be JSON. */
function requireJson(forms: FormRoutes | undefined, uploads: UploadRoutes | undefined) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const { method, path, raw } = c.req
    const isForm = forms?.path.test(path) ?? false
    if (method === 'POST' || method === 'PUT' || method === 'PATCH') {
      const hasBody = c.req.header('content-length') !== '0' && raw.body !== null
      const wanted = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
      const [given = ''] = (c.req.header('content-type') ?? '').split(';')
      const type = given.trim().toLowerCase()
      const isUpload = uploads !== undefined && uploads.path.test(path)
      if (hasBody && path !== CSP_REPORTS_PATH && !(isUpload ? uploads.type.test(type) : type === wanted))
        throw new Problem(
          'unsupported_media_type',
          `Send the body as ${isUpload ? uploads.type.source : wanted}.`,
        )
    }
    await next()
  })
}

/** The text fields of a form, the last one of each name. */
export async function formFields(c: Context<AppEnv>): Promise<Readonly<Record<string, string>>> {
  const fields = Object.entries(await c.req.parseBody())
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'))
}

function observe(host: string, log: Log, metrics: Metrics) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const started = performance.now()
    const requestId = requestIdOf(c.req.header('x-request-id'))
    c.set('requestId', requestId)
    await next()
    c.header('X-Request-Id', requestId)
    const { method } = c.req
    const [route, { status }] = [routePath(c, -1), c.res]
    noteAnswer({ host, log, metrics, started, requestId, method, route, status })
  })
}

function sendProblem(c: Context<AppEnv>, problem: Problem): Response {
  const headers = { ...PROBLEM_HEADERS, ...headersOf(problem) }
  return c.body(JSON.stringify(problem.body(c.get('requestId'))), problem.status as 400, headers)
}
