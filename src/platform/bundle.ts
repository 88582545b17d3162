/** A script for browsers made of this file and what it imports. Throws an AggregateError where it does not build. */
export async function bundle(file: string): Promise<string> {
  const built = await Bun.build({ entrypoints: [file], target: 'browser', format: 'iife', minify: true })
  return (await built.outputs[0]?.text()) ?? ''
}
