/** The slot of a key in a Redis Cluster; the client's own way to reckon it, which comes without types. */
declare module 'cluster-key-slot' {
  export default function slotOf(key: string): number
}
