import { expect } from 'bun:test'
import type { Role } from '../../src/contracts/operators.ts'
import { type Answer, type Fields, type TestApp, URLS } from './app.ts'

export const PASSWORD = 'correct horse battery'
export const COOKIE = '__Host-operator'

/** A browser on the console's pages. */
export interface Browser {
  /** The session's cookie, as it is sent; empty where nobody is signed in. */
  cookie: string
  signIn(name: string, password?: string, code?: string): Promise<Answer>
  ask<Body = Record<string, unknown>>(
    method: string,
    path: string,
    json?: unknown,
    headers?: Fields,
  ): Promise<Answer<Body>>
}

export function openBrowser(app: TestApp, address = '192.0.2.1'): Browser {
  const browser: Browser = {
    cookie: '',
    signIn: async (name, password = PASSWORD, code) => {
      const answer = await browser.ask('POST', 'session', { name, password, ...(code ? { code } : {}) })
      const [pair = ''] = (answer.headers.get('set-cookie') ?? '').split('; ')
      if (answer.status === 200) browser.cookie = pair
      return answer
    },
    ask: (method, path, json, headers = {}) =>
      app.send('ops', method, `/api/operator/${path}`, {
        address,
        json,
        headers: {
          ...(method === 'GET' ? {} : { origin: URLS.ops }),
          ...(browser.cookie === '' ? {} : { cookie: browser.cookie }),
          ...headers,
        },
      }),
  }
  return browser
}

/** An account of that role. Answers its name. */
export async function addOperator(app: TestApp, name: string, role: Role): Promise<string> {
  const added = await app.operate('POST', 'operators', { name, role, password: PASSWORD, reason: 'a test' })
  expect({ name, status: added.status }).toEqual({ name, status: 201 })
  return name
}

/** Somebody of that role, signed in. */
export async function signedIn(app: TestApp, name: string, role: Role): Promise<Browser> {
  await addOperator(app, name, role)
  const browser = openBrowser(app)
  expect((await browser.signIn(name)).status).toBe(200)
  return browser
}
