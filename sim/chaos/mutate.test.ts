import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'bun:test'
import { projectPath } from '../../src/platform/project.ts'
import { INVARIANTS } from '../audit/invariants.ts'
import { applyEdit, chooseMutations, faultOf, listMutations, plant } from './mutate.ts'
import { MUTATIONS } from './mutations.ts'

test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
  '%s still applies to this tree, and names a fault and invariants there are',
  (name, mutation) => {
    const texts = new Map<string, string>()
    for (const edit of mutation.edits) {
      const text = texts.get(edit.file) ?? readFileSync(projectPath(edit.file), 'utf8')
      const changed = applyEdit(name, text, edit)
      expect(changed).not.toBe(text)
      texts.set(edit.file, changed)
    }
    expect(faultOf(mutation).name).toBe(mutation.fault)
    const names = INVARIANTS.map((invariant) => invariant.name)
    for (const broken of mutation.breaks) expect(names).toContain(broken)
    expect(listMutations()).toContain(name)
  },
)

test('a text that is gone, or is there twice, is an error', () => {
  const edit = { file: 'a.ts', from: 'if (a)', to: 'if (b)' }
  expect(applyEdit('x', 'if (a) b()', edit)).toBe('if (b) b()')
  expect(() => applyEdit('x', 'if (c) b()', edit)).toThrow(/x no longer applies: a.ts has 0 times/)
  expect(() => applyEdit('x', 'if (a) if (a) b()', edit)).toThrow(/2 times/)
})

test('a bug is planted in a copy, and the copy goes away', () => {
  const [mutation] = MUTATIONS
  const [edit] = mutation?.edits ?? []
  if (mutation === undefined || edit === undefined) throw new Error('no mutation')
  const before = readFileSync(projectPath(edit.file), 'utf8')
  const { root, remove } = plant(mutation)
  expect(readFileSync(join(root, edit.file), 'utf8')).toBe(before.replace(edit.from, edit.to))
  expect(readFileSync(projectPath(edit.file), 'utf8')).toBe(before)
  expect(existsSync(join(root, 'node_modules/hono'))).toBe(true)
  remove()
  expect(existsSync(root)).toBe(false)
  expect(existsSync(projectPath('node_modules/hono'))).toBe(true)
})

test('all, or those that are named', () => {
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(12)
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length)
  expect(chooseMutations('all', 'full').mutations).toHaveLength(MUTATIONS.length)
  expect(chooseMutations('all', 'embedded').leftOut.map(({ name }) => name)).toEqual(['offsets-before-sql'])
  expect(chooseMutations('no-fence', 'embedded').mutations.map(({ name }) => name)).toEqual(['no-fence'])
  expect(() => chooseMutations('nonsense', 'full')).toThrow(/there is no nonsense/)
  expect(() => chooseMutations('offsets-before-sql', 'embedded')).toThrow(/--profile full/)
})
