import { createRoute, z } from '@hono/zod-openapi'
import {
  NewOperator,
  OperatorAccount,
  OperatorChangeRequest,
  OperatorParam,
} from '../../contracts/account-http.ts'
import { unfitPassword } from '../../contracts/operators.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../../platform/http.ts'
import type { Accounts } from './accounts.ts'
import { BASE, type By } from './sign-in.ts'

const PATH = `${BASE}/operators`

const listOperators = createRoute({
  method: 'get',
  path: PATH,
  responses: {
    200: json(z.object({ operators: z.array(OperatorAccount) }), 'All accounts, by name'),
    ...problems('operator_only'),
  },
})
const postOperator = createRoute({
  method: 'post',
  path: PATH,
  request: { body: jsonBody(NewOperator) },
  responses: {
    201: json(OperatorAccount, 'Added'),
    ...problems('bad_request', 'operator_only', 'already_exists'),
  },
})
const patchOperator = createRoute({
  method: 'patch',
  path: `${PATH}/{name}`,
  description: 'A new role or password, and disabling, end the sessions of the account',
  request: { params: OperatorParam, body: jsonBody(OperatorChangeRequest) },
  responses: {
    200: json(OperatorAccount, 'The account as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_operator', 'last_admin'),
  },
})

/** The operators' accounts. `by` says who gives the command. */
export function accountRoutes(app: App, { accounts }: { readonly accounts: Accounts }, by: By): void {
  app.openapi(listOperators, async (c) => c.json({ operators: await accounts.list() }, 200))
  app.openapi(postOperator, async (c) => {
    const { reason, ...account } = c.req.valid('json')
    requireFit(account.name, account.password)
    const added = await accounts.add(by(c, reason), account)
    if (added === 'exists')
      throw new Problem('already_exists', `There is an account named ${account.name} already.`)
    return c.json(added, 201)
  })
  app.openapi(patchOperator, async (c) => {
    const { name } = c.req.valid('param')
    const { reason, ...change } = c.req.valid('json')
    if (Object.keys(change).length === 0)
      throw new Problem('bad_request', 'Say what is to change: `role`, `disabled`, `password` or `totp`.')
    if (change.password !== undefined) requireFit(name, change.password)
    const changed = await accounts.change(by(c, reason), name, change)
    if (changed === 'unknown') throw new Problem('unknown_operator')
    if (changed === 'last_admin')
      throw new Problem('last_admin', `Make somebody else an admin first: ${name} is the last one.`)
    return c.json(changed, 200)
  })
}

function requireFit(name: string, password: string): void {
  const unfit = unfitPassword(name, password)
  if (unfit !== undefined) throw new Problem('bad_request', `\`password\`: ${unfit}`)
}
