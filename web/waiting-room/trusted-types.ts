import { config } from '../lib/config.ts'

interface TrustedTypes {
  createPolicy(
    name: 'default',
    rules: Record<'createHTML' | 'createScriptURL', (text: string) => string>,
  ): void
}

/** The empty frame in which the fingerprint looks at fonts; its script hands it over as text. */
const FONT_FRAME =
  '<!doctype html><html><head><meta name="viewport" content="width=device-width, initial-scale=1">'

const only = (known: string) => (text: string) => {
  if (text !== known) throw new TypeError('no text of ours becomes a script or markup')
  return text
}

/**
 * The page's policy lets no text become a script or markup (Trusted Types), but what is named here. Browsers without
 * them have nothing to be told.
 */
export function trustOnlyOurOwn(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy('default', {
    createHTML: only(FONT_FRAME),
    createScriptURL: only(config.solver_url),
  })
}
