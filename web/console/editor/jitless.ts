import { z } from 'zod'

// Compiled checks need `eval`, which the page's policy forbids. Schemas try it when they are made, so this comes first.
z.config({ jitless: true })
