import { createSay } from '../../src/contracts/words/say.ts'
import { readWords } from '../../src/platform/words.ts'

/** What readers of English in London read. */
export const english = createSay({ language: 'en', topics: readWords().en, timeZone: 'Europe/London' })
