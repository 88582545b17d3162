/** The Kubernetes manifests, as the tests read them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { projectPath } from '../../src/platform/project.ts'

const FOLDER = projectPath('deploy/kubernetes')
const Labels = z.record(z.string(), z.string())
const Port = z.union([z.string(), z.number()])
const Probe = z.looseObject({
  httpGet: z.object({ path: z.string(), port: Port }).optional(),
  tcpSocket: z.object({ port: Port }).optional(),
})
export type Probe = z.infer<typeof Probe>

const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()),
  envFrom: z
    .array(z.object({ configMapRef: z.looseObject({}).optional(), secretRef: z.looseObject({}).optional() }))
    .default([]),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .object({
            fieldRef: z.object({ fieldPath: z.string() }).optional(),
            configMapKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
            secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
          })
          .optional(),
      }),
    )
    .default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
  resources: z.object({ requests: Labels, limits: Labels }),
  securityContext: z.looseObject({}),
})
export type Container = z.infer<typeof Container>

const Pod = z.looseObject({
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z.looseObject({ runAsNonRoot: z.boolean(), runAsUser: z.number() }),
  containers: z.tuple([Container]),
})

const Workload = z.object({
  kind: z.enum(['Deployment', 'StatefulSet', 'Job']),
  metadata: z.object({ name: z.string(), labels: Labels }),
  spec: z.looseObject({
    replicas: z.number().default(1),
    strategy: z.looseObject({ type: z.string().optional() }).default({}),
    template: z.object({ metadata: z.object({ labels: Labels }), spec: Pod }),
  }),
})

export interface Workload {
  readonly name: string
  readonly kind: 'Deployment' | 'StatefulSet' | 'Job'
  /** `1-stores` to `5-edge`. */
  readonly step: string
  /** Whether a new one is ready before an old one goes. */
  readonly surges: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly pod: z.infer<typeof Pod>
  readonly container: Container
}

const Document = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: Labels.default({}) }).optional(),
})
export type Document = z.infer<typeof Document>

/** Every document of a folder; throws where one can not be read. */
export function readDocuments(folder: string): Document[] {
  return readdirSync(join(FOLDER, folder))
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(FOLDER, folder, file), 'utf8')).map((document) => {
        if (document.errors[0] !== undefined) throw document.errors[0]
        return Document.parse(document.toJS())
      }),
    )
}

/** What runs, in the order of the steps. */
export function readWorkloads(): Workload[] {
  return readDocuments('base')
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind))
    .map((document) => {
      const { kind, metadata, spec } = Workload.parse(document)
      const { metadata: template, spec: pod } = spec.template
      return {
        ...{ kind, pod, name: metadata.name, labels: template.labels },
        step: metadata.labels['doorbuster/step'] ?? '',
        surges: kind === 'Deployment' && spec.strategy.type !== 'Recreate',
        container: pod.containers[0],
      }
    })
    .sort((a, b) => `${a.step} ${a.name}`.localeCompare(`${b.step} ${b.name}`))
}

/** Settings that every process shares: those of the ConfigMap, and the Secret of the example. */
export function readSettings() {
  const of = (folder: string, kind: string, field: string) => {
    const found = readDocuments(folder).find(
      (one) => one.kind === kind && one.metadata?.name === 'doorbuster',
    )
    return Labels.parse(found?.[field])
  }
  return { config: of('base', 'ConfigMap', 'data'), secret: of('overlays/example', 'Secret', 'stringData') }
}

/** The environment of a container, with names of the pod for what it is told of itself. */
export function environmentOf(
  { envFrom, env }: Container,
  { config, secret }: ReturnType<typeof readSettings>,
  podName: string,
): Record<string, string> {
  const all = envFrom.map((from) => (from.configMapRef === undefined ? secret : config))
  const single = env.map(({ name, value, valueFrom }) => [
    name,
    value ??
      config[valueFrom?.configMapKeyRef?.key ?? ''] ??
      secret[valueFrom?.secretKeyRef?.key ?? ''] ??
      (valueFrom?.fieldRef?.fieldPath === 'metadata.name' ? podName : undefined),
  ])
  const found = Object.assign({}, ...all, Object.fromEntries(single)) as Record<string, string | undefined>
  for (const [name, value] of Object.entries(found))
    if (value === undefined) throw new Error(`${podName}: nobody gives ${name} a value`)
  return found as Record<string, string>
}
