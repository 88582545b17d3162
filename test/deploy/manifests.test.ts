import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { readConfig, SETTINGS } from '../../src/platform/config.ts'
import { EDGE_SETTINGS, readEdgeSettings } from '../../src/platform/edge-settings.ts'
import { projectPath } from '../../src/platform/project.ts'
import { SERVER_SETTINGS } from '../../src/platform/redis-settings.ts'
import { createMetrics } from '../../src/platform/telemetry.ts'
import {
  type Document,
  environmentOf,
  readDocuments,
  readSettings,
  readWorkloads,
} from '../support/manifests.ts'

// deploy/kubernetes/ held to the program: what it names exists, and what the program needs is there.

const workloads = readWorkloads()
const ours = workloads.filter(({ container }) => container.image === 'doorbuster')
const settings = readSettings()
const folders = ['base', 'components/autoscaling', 'overlays/example']
const documents = folders
  .flatMap(readDocuments)
  .filter(({ kind }) => !/^(Kustomization|Component)$/.test(kind))
const text = (value: unknown) => JSON.stringify(value)

/** What the example leaves to be replaced. */
const REAL = {
  TOKEN_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}`,
  SESSION_KEY: 'a session key that is long enough',
  OPS_TOKEN: 'operator-token-of-tests',
}

describe.each(ours)('$name', ({ name, kind, step, pod, container, labels }) => {
  const env = environmentOf(container, settings, `${name}-0`)

  test('runs a process that there is, by settings that there are', () => {
    const [bun, file, command, ...role] = container.command
    expect([bun, file]).toEqual(['bun', 'src/doorbuster.ts'])
    if (command !== 'migrate') {
      expect([command, ...role]).toEqual(['start', '--role', name])
      expect(existsSync(projectPath(`src/processes/${name}.ts`))).toBe(true)
    }
    const known = name === 'edge' ? EDGE_SETTINGS : SETTINGS
    expect(Object.keys(env).filter((setting) => !known.includes(setting))).toEqual([])
  })

  test('has every setting that it needs, and refuses the example before its secrets are replaced', () => {
    if (name === 'migrate') return expect(Object.keys(env)).toEqual(['DATABASE_URLS'])
    if (name === 'edge') return void expect(readEdgeSettings(env).origins).toEqual(['web:8080'])
    expect(() => readConfig(env)).toThrow(/TOKEN_KEYS|SESSION_KEY/)
    const { config } = readConfig({ ...env, ...REAL })
    expect(config.profile).toBe('full')
    expect(config.workerName).toBe(name === 'cleanup' ? 'cleanup' : `${name}-0`)
  })

  test('is probed at a port it opens, by a path it answers', () => {
    if (kind === 'Job') return
    const ports = new Map(container.ports.map((port) => [port.name, port.containerPort]))
    const { startupProbe, readinessProbe, livenessProbe } = container
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      const asked = probe?.httpGet ?? probe?.tcpSocket
      const opened = { web: env['PORT'], edge: env['EDGE_PORT'] }[name] ?? env['HEALTH_PORT']
      expect(ports.get(String(asked?.port))).toBe(Number(opened))
    }
    if (name === 'edge') return
    expect(readinessProbe?.httpGet?.path).toBe('/readyz')
    // A store that is away must not have it killed.
    expect([startupProbe?.httpGet?.path, livenessProbe?.httpGet?.path]).toEqual(['/healthz', '/healthz'])
  })

  test('has time to drain, and no rights that it does not need', () => {
    const preStop = container.lifecycle?.preStop.sleep.seconds ?? 0
    // platform/server.ts waits 2 s for requests; a statement may take 10 s.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + 12)
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    })
    expect(step).toMatch(/^[2-5]-/)
    expect(labels['app']).toBe(name)
    if (kind !== 'Job') expect(text(pod)).toContain(`"mountPath":"${env['DATA_DIR']}"`)
  })
})

test('every document says at which step it is applied; stores first, then schema, workers, web, edge', () => {
  const steps = documents.filter(({ kind }) => kind !== 'Namespace' && kind !== 'ConfigMap')
  for (const { kind, metadata } of steps)
    expect(`${kind} ${metadata?.name} ${metadata?.labels['doorbuster/step']}`).toMatch(/ [1-5]-[a-z]+$/)
  expect(workloads.map(({ step, name }) => `${step} ${name}`)).toEqual([
    ...[
      '1-stores redis',
      '2-schema migrate',
      '3-workers cleanup',
      '3-workers order-worker',
      '3-workers relay',
    ],
    ...['4-web web', '5-edge edge'],
  ])
})

test('budgets, services, policies and monitors select what there is, by ports that there are', () => {
  const names = new Set(workloads.map(({ name }) => name))
  const ports = new Set(workloads.flatMap(({ container }) => container.ports.map(({ name }) => name)))
  const selected = [...text(documents).matchAll(/"app":"([^"]+)"/g)].map((match) => match[1])
  const listed = [...text(documents).matchAll(/"key":"app","operator":"In","values":(\[[^\]]*\])/g)].flatMap(
    (match) => JSON.parse(match[1] ?? '[]') as string[],
  )
  expect([...selected, ...listed].filter((name) => !names.has(name ?? ''))).toEqual([])
  const named = [...text(documents).matchAll(/"(?:port|targetPort)":"([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  )
  expect(named.filter((port) => !ports.has(port))).toEqual([])
  for (const { name, kind } of workloads) {
    if (kind === 'Job' || name === 'cleanup') continue
    const budget = documents.find((one) => one.kind === 'PodDisruptionBudget' && one.metadata?.name === name)
    expect(text(budget?.['spec'])).toContain(`"app":"${name}"`)
  }
})

test('what scales is there, by metrics that are exported', async () => {
  const exported = new Set((await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name))
  const scaled = documents.filter(({ kind }) => kind === 'ScaledObject') as (Document & {
    spec: {
      scaleTargetRef: { name: string; kind?: string }
      maxReplicaCount: number
      triggers: { metadata: { query: string } }[]
    }
  })[]
  expect(scaled.map(({ metadata }) => metadata?.name).sort()).toEqual(['order-worker', 'relay', 'web'])
  for (const { spec } of scaled) {
    const { name, kind = 'Deployment' } = spec.scaleTargetRef
    expect(workloads.find((one) => one.name === name)?.kind).toBe(kind as 'Deployment')
    const queries = spec.triggers.map(({ metadata }) => metadata.query)
    const metrics = queries.flatMap((query) => query.match(/doorbuster_\w+/g) ?? [])
    expect(metrics.length).toBeGreaterThanOrEqual(queries.length)
    expect(metrics.filter((metric) => !exported.has(metric))).toEqual([])
    if (name === 'order-worker')
      expect(String(spec.maxReplicaCount)).toBe(settings.config['KAFKA_PARTITIONS'] ?? '')
  }
})

test('every file is applied; the image holds what its processes import', () => {
  for (const folder of folders) {
    const place = projectPath(`deploy/kubernetes/${folder}`)
    const list = parse(readFileSync(`${place}/kustomization.yaml`, 'utf8')) as {
      resources: string[]
      patches?: { path: string }[]
    }
    const applied = [...list.resources, ...(list.patches ?? []).map(({ path }) => path)].filter(
      (path) => !path.includes('/'),
    )
    const files = readdirSync(place).filter((file) => file !== 'kustomization.yaml')
    expect(applied.sort()).toEqual(files.sort())
  }
  const containerfile = readFileSync(projectPath('deploy/Containerfile'), 'utf8')
  const copied = [...containerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  )
  const ignored = readFileSync(projectPath('.containerignore'), 'utf8')
  for (const path of copied) {
    expect(existsSync(projectPath(path))).toBe(true)
    expect(ignored).toContain(`!${path}\n`)
  }
  const folder = (path: string) => readdirSync(projectPath(path), { recursive: true }) as string[]
  const imported = ['src', 'sim'].flatMap((root) =>
    folder(root)
      .filter((file) => /\.tsx?$/.test(file) && !/\.(test|fixture)\.ts$/.test(file))
      .flatMap((file) =>
        [
          ...readFileSync(projectPath(`${root}/${file}`), 'utf8').matchAll(
            /from '((?:\.\.\/)+)([a-z]+\/[^']+)'/g,
          ),
        ].map((match) => ({
          up: (match[1] ?? '').length / 3,
          depth: `${root}/${file}`.split('/').length - 1,
          path: match[2] ?? '',
        })),
      ),
  )
  const outside = imported.filter(({ up, depth }) => up === depth).map(({ path }) => path)
  const missing = outside.filter(
    (path) => !copied.some((copy) => path === copy || path.startsWith(`${copy}/`)),
  )
  expect([...new Set(missing)]).toEqual([])
})

test('Redis is set as those that we start ourselves', () => {
  const conf = readFileSync(projectPath('deploy/kubernetes/base/redis.yaml'), 'utf8')
  for (const [setting, value] of Object.entries(SERVER_SETTINGS))
    expect(conf).toMatch(new RegExp(`^ +${setting} ${value}$`, 'm'))
})
