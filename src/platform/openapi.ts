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
      paths[path] = { ...(item as object), servers: [{ url }] }
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
