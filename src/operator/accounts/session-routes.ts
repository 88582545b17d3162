import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import {
  OperatorSession,
  PasswordRequest,
  SignInRequest,
  TotpOffer,
  TotpOffRequest,
  TotpRequest,
} from '../../contracts/account-http.ts'
import { unfitPassword } from '../../contracts/operators.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../../platform/http.ts'
import type { OwnAccount } from './own-account.ts'
import { type Session, SESSION_S, type Sessions } from './sessions.ts'
import { BASE, SESSION_COOKIE, type SignIn } from './sign-in.ts'

const PATH = `${BASE}/session`
const done = { 204: { description: 'Done' } }

const postSession = createRoute({
  method: 'post',
  path: PATH,
  description: 'Sets the cookie of a new session',
  request: { body: jsonBody(SignInRequest) },
  responses: {
    200: json(OperatorSession, 'Signed in'),
    ...problems('bad_request', 'sign_in_failed', 'code_required', 'origin_refused', 'rate_limited'),
  },
})
const getSession = createRoute({
  method: 'get',
  path: PATH,
  responses: { 200: json(OperatorSession, 'Who is signed in'), ...problems('operator_only') },
})
const deleteSession = createRoute({
  method: 'delete',
  path: PATH,
  responses: { ...done, ...problems('operator_only') },
})
const postPassword = createRoute({
  method: 'post',
  path: `${PATH}/password`,
  description: 'Ends the other sessions of the account',
  request: { body: jsonBody(PasswordRequest) },
  responses: {
    ...done,
    ...problems('bad_request', 'operator_only', 'password_wrong', 'rate_limited'),
  },
})
const postTotp = createRoute({
  method: 'post',
  path: `${PATH}/totp`,
  responses: {
    200: json(TotpOffer, 'For the authenticator app; in force once a code of it has been sent'),
    ...problems('operator_only', 'already_exists'),
  },
})
const putTotp = createRoute({
  method: 'put',
  path: `${PATH}/totp`,
  request: { body: jsonBody(TotpRequest) },
  responses: { ...done, ...problems('bad_request', 'operator_only', 'code_wrong', 'not_found') },
})
const deleteTotp = createRoute({
  method: 'delete',
  path: `${PATH}/totp`,
  request: { body: jsonBody(TotpOffRequest) },
  responses: {
    ...done,
    ...problems('bad_request', 'operator_only', 'password_wrong', 'rate_limited'),
  },
})

export interface SessionRouteParts {
  readonly sessions: Sessions
  readonly ownAccount: OwnAccount
  /** Where a request comes from, as failures are counted. */
  readonly addressOf: (c: Context<AppEnv>) => string
}

/** Signing in and out, and what people change of their own accounts. */
export function sessionRoutes(
  app: App,
  { sessions, ownAccount, addressOf }: SessionRouteParts,
  sessionOf: SignIn['sessionOf'],
): void {
  app.openapi(postSession, async (c) => {
    const outcome = await sessions.signIn(c.req.valid('json'), addressOf(c))
    switch (outcome.kind) {
      case 'limited':
        throw limited(outcome.retry_after_s)
      case 'failed':
        throw new Problem('sign_in_failed', 'Check name, password and code, and try again.')
      case 'code_required':
        throw new Problem('code_required', 'Send the six digits that your authenticator app shows as `code`.')
      case 'signed_in':
        setCookie(c, SESSION_COOKIE, outcome.token, { ...COOKIE, maxAge: SESSION_S })
        return c.json(toView(outcome.session), 200)
    }
  })
  app.openapi(getSession, (c) => c.json(toView(sessionOf(c)), 200))
  app.openapi(deleteSession, async (c) => {
    await sessions.end(sessionOf(c))
    deleteCookie(c, SESSION_COOKIE, COOKIE)
    return c.body(null, 204)
  })
  app.openapi(postPassword, async (c) => {
    const session = sessionOf(c)
    const given = c.req.valid('json')
    const unfit = unfitPassword(session.name, given.password)
    if (unfit !== undefined) throw new Problem('bad_request', `\`password\`: ${unfit}`)
    refuse(await ownAccount.changePassword(session, given, addressOf(c)))
    return c.body(null, 204)
  })
  app.openapi(postTotp, async (c) => {
    const offer = await ownAccount.offerTotp(sessionOf(c))
    if (offer === 'in_force')
      throw new Problem('already_exists', 'Turn the authenticator app off before you set up another.')
    return c.json(offer, 200)
  })
  app.openapi(putTotp, async (c) => {
    const outcome = await ownAccount.acceptTotp(sessionOf(c), c.req.valid('json').code)
    if (outcome === 'not_offered') throw new Problem('not_found', 'Ask for a secret first.')
    if (outcome === 'wrong_code')
      throw new Problem('code_wrong', 'Send the code that the app shows now; check its clock.')
    return c.body(null, 204)
  })
  app.openapi(deleteTotp, async (c) => {
    refuse(await ownAccount.removeTotp(sessionOf(c), c.req.valid('json').password, addressOf(c)))
    return c.body(null, 204)
  })
}

const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'Strict' } as const

const toView = ({ id: _id, ...shown }: Session) => shown

const limited = (retryAfterS: number) =>
  new Problem('rate_limited', 'Too many failures; wait, or ask another admin for a new password.', {
    retryAfterS,
  })

function refuse(outcome: Awaited<ReturnType<OwnAccount['changePassword']>>): void {
  if (outcome.kind === 'limited') throw limited(outcome.retry_after_s)
  if (outcome.kind === 'wrong_password')
    throw new Problem('password_wrong', 'Type the password that you signed in with.')
}
