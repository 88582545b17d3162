import { useEffect, useMemo, useState } from 'preact/hooks'
import type * as checking from './check.ts'
import type { SaleDraft } from './draft.ts'

/** What is wrong with the draft. The schemas are loaded with the first editor that is opened; undefined until then. */
export function useCheck(draft: SaleDraft): checking.Errors | undefined {
  const [module, setModule] = useState<Pick<typeof checking, 'check'>>()
  useEffect(() => void import('./check.ts').then(setModule), [])
  return useMemo(() => module?.check(draft, Date.now()), [module, draft])
}
