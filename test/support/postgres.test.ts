import { expect, test } from 'bun:test'
import { withClient } from '../../src/platform/migrate.ts'
import { testDatabases } from './postgres.ts'

test('each call gives migrated databases of its own; drop removes them even with connections open', async () => {
  const [one, other] = [await testDatabases(), await testDatabases(1)]
  expect(one.urls).toHaveLength(2)
  expect(new Set([...one.urls, ...other.urls]).size).toBe(3)
  for (const url of [...one.urls, ...other.urls]) {
    const { rows } = await withClient(url, (client) => client.query('SELECT count(*)::int AS n FROM orders'))
    expect(rows).toEqual([{ n: 0 }])
  }
  const cut = withClient(one.urls[0] ?? '', async (client) => {
    await one.drop()
    await client.query('SELECT 1')
  })
  expect(
    await cut.then(
      () => 'still there',
      () => 'gone',
    ),
  ).toBe('gone')
  expect(await withClient(other.urls[0] ?? '', async () => 'still there')).toBe('still there')
  await other.drop()
})
