import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SettingError } from './errors.ts'

/** Absolute path of a file of this project, from its path below the project's root. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}

/** What a file holds. Throws SettingError where it can not be read or is no JSON. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new SettingError(`${path} can not be read: ${(error as Error).message}`)
  }
}
