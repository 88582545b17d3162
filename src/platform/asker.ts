/**
 * Who sends a request, as guard, identity and waiting room look at it: what a context of Hono and a request on a hot route have
 * in common.
 */
export interface Asker {
  /** `address`: who spoke to our socket, the client or the last proxy before us. */
  readonly env: { readonly address?: string }
  readonly req: { header(name: string): string | undefined; readonly raw: { readonly headers: Headers } }
  /** Adds a header to the answer. */
  header(name: string, value: string, options?: { readonly append?: boolean }): void
}
