import { fileURLToPath } from 'node:url'

/** Absolute path of a file of this project, from its path below the project's root. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}
