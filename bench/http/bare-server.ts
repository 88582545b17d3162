import { environment } from '../../src/platform/config.ts'
import type { BareAnswer } from './processes.ts'

const { status, type, body } = JSON.parse(environment()['ANSWER'] ?? '') as BareAnswer
const headers = { 'Content-Type': type }

/** Served by Bun itself, as the default export of the script it runs. */
export default {
  hostname: '127.0.0.1',
  port: 0,
  fetch: async (request: Request) => {
    if (request.method === 'POST') await request.json()
    return new Response(body, { status, headers })
  },
}

// Whoever started it is gone.
process.stdin.on('end', () => process.exit()).resume()
