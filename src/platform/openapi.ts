import { PROBLEMS, type ProblemCode } from '../contracts/problems.ts'
import type { App } from './http.ts'

/** One origin and what it answers. */
export interface Documented {
  readonly url: string
  readonly app: App
}

/** One OpenAPI 3.1 document over all origins, made from the schemas that validate; each path names its server. */
export function openApiDocument(hosts: readonly Documented[]): Record<string, unknown> {
  const paths: Record<string, unknown> = {}
  const schemas: Record<string, unknown> = {}
  for (const { url, app } of hosts) {
    const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } })
    for (const [path, item] of Object.entries(document.paths ?? {}))
      paths[path] = { ...withCommonProblems(path, item as Operations), servers: [{ url }] }
    Object.assign(schemas, document.components?.schemas)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Doorbuster',
      version: '1',
      description: 'Waiting room, claims, orders and payments of a flash sale. Errors are RFC 9457 problems.',
    },
    paths,
    components: { schemas },
  }
}

type Operations = Record<string, { requestBody?: unknown; responses: Record<string, unknown> }>

const ANYWHERE: readonly ProblemCode[] = ['unavailable']
const WRITES: readonly ProblemCode[] = ['origin_refused']
const WITH_PARAMETER: readonly ProblemCode[] = ['bad_request']
const WITH_BODY: readonly ProblemCode[] = ['malformed_json', 'body_too_large', 'unsupported_media_type']

/** What every endpoint may answer, and every endpoint with a body, so that no route has to repeat it. */
function withCommonProblems(path: string, item: Operations): Operations {
  const operations: Operations = {}
  for (const [method, operation] of Object.entries(item)) {
    const responses = { ...operation.responses }
    const takesBody = operation.requestBody !== undefined
    const common = [...ANYWHERE, ...(method === 'get' || path.startsWith('/webhooks/') ? [] : WRITES)]
    for (const code of [...common, ...(takesBody ? WITH_BODY : path.includes('{') ? WITH_PARAMETER : [])])
      responses[PROBLEMS[code].status] ??= {
        description: `\`${code}\`: ${PROBLEMS[code].title}`,
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }
    operations[method] = { ...operation, responses }
  }
  return operations
}
