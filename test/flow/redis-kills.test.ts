import { expect, test } from 'bun:test'
import { runKills } from '../../bench/redis-kills/run.ts'

test('kill -9 of Redis at peak: no yes is lost, no unit sold twice, and it sells again', async () => {
  const report = await runKills({ kills: 3, perSecond: 1000, scarceUnits: 300 })
  expect(report).toMatchObject({ kills: 3, lost: 0, oversold: 0, doubled: 0, unsound: 0, open: 0 })
  expect(report.acknowledged).toBeGreaterThan(500)
  expect(report.sold_out_items).toBeGreaterThan(0)
  // How soon is what bench/redis-kills.ts measures, on a machine that does nothing else.
  for (const ms of report.selling_again_ms.all) expect(ms).toBeWithin(0, 30_000)
}, 120_000)
