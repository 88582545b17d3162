import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingError } from '../../src/platform/errors.ts'
import { projectPath } from '../../src/platform/project.ts'
import { FAULTS } from './faults.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'

/** What our processes are made of. */
const TREE = ['src', 'web', 'words', 'edge', 'migrations', 'package.json', 'tsconfig.json']

/** `all`, or names separated by commas. Throws SettingError for a name there is not. */
export function chooseMutations(names: string, profile: 'embedded' | 'full') {
  if (names === 'all') {
    const fits = ({ needs }: Mutation) => needs === undefined || needs === profile
    return { mutations: MUTATIONS.filter(fits), leftOut: MUTATIONS.filter((one) => !fits(one)) }
  }
  const mutations = [...new Set(names.split(',').map((name) => name.trim()))].map((name) => {
    const found = MUTATIONS.find((one) => one.name === name)
    if (found === undefined) throw new SettingError(`--mutations: there is no ${name}; --list tells all`)
    if (found.needs !== undefined && found.needs !== profile)
      throw new SettingError(`--mutations: ${name} needs --profile ${found.needs}`)
    return found
  })
  return { mutations, leftOut: [] }
}

/** The text with the edit made. Throws SettingError where it does not apply any more. */
export function applyEdit(name: string, text: string, { file, from, to }: Mutation['edits'][number]): string {
  const parts = text.split(from)
  if (parts.length !== 2)
    throw new SettingError(
      `The mutation ${name} no longer applies: ${file} has ${parts.length - 1} times ${JSON.stringify(from)}`,
    )
  return parts.join(to)
}

/** A copy of this project with the bug in it; `remove` takes it away again. */
export function plant({ name, edits }: Mutation): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'doorbuster-mutation-'))
  const remove = () => rmSync(root, { recursive: true, force: true })
  try {
    for (const part of TREE)
      if (existsSync(projectPath(part))) cpSync(projectPath(part), join(root, part), { recursive: true })
    symlinkSync(projectPath('node_modules'), join(root, 'node_modules'))
    for (const edit of edits) {
      const path = join(root, edit.file)
      writeFileSync(path, applyEdit(name, readFileSync(path, 'utf8'), edit))
    }
    return { root, remove }
  } catch (error) {
    remove()
    throw error
  }
}

export function faultOf({ name, fault }: Mutation) {
  const found = FAULTS.find((one) => one.name === fault)
  if (found === undefined) throw new Error(`the mutation ${name} names ${fault}, which is no fault`)
  return found
}

export function listMutations(): string {
  const width = Math.max(...MUTATIONS.map(({ name }) => name.length))
  return MUTATIONS.map(({ name, says }) => `${name.padEnd(width)}  ${says}`).join('\n')
}
