/** What runs by itself in the foreground until Ctrl-C, with a port and a data folder. */
export const ALONE = [
  {
    name: 'kafka',
    description: 'run a local Apache Kafka in the foreground, with data of its own',
    usualPort: 9092,
    load: async () => (await import('../platform/servers/kafka-alone.ts')).kafkaAlone,
  },
  {
    name: 'edge',
    description: 'nginx as a CDN in front of what runs here: a second door, on a port of its own',
    usualPort: 8090,
    load: async () => (await import('./edge-beside.ts')).edgeBeside,
  },
] as const
