import ipaddr from 'ipaddr.js'

/** Where a request comes from, as the guard counts it. */
export interface ClientAddress {
  /** IPv4 address, or IPv6 /64: what one line at home or one phone has. */
  readonly address: string
  /** IPv4 /24 or IPv6 /48: what one customer of a data centre easily has. */
  readonly network: string
  /** The address itself, for a CAPTCHA provider. */
  readonly ip: string
}

/**
 * The client behind `trustedHops` proxies of ours. Each proxy appends to X-Forwarded-For who spoke to it, so the n-th
 * entry from the right was written by the outermost one we trust; all left of it is what anybody may have sent.
 * With 0, or where that entry is missing or no address, the socket's address counts: a direct connection past the
 * proxies gains nothing by a forged header.
 */
export function clientAddress(
  socket: { readonly address?: string | undefined },
  forwardedFor: string | undefined,
  trustedHops: number,
): ClientAddress {
  const entries = forwardedFor?.split(',') ?? []
  const entry = trustedHops > 0 ? entries[entries.length - trustedHops] : undefined
  return remembered(entry) ?? remembered(socket.address) ?? UNKNOWN
}

/** A request is looked at several times, and a visitor asks again: reading an address costs more than all else here. */
const known = new Map<string, ClientAddress>()
const MOST_KNOWN = 10_000
/** Longer than any address with port and zone: not worth keeping. */
const LONGEST = 64

function remembered(text: string | undefined): ClientAddress | undefined {
  if (text === undefined) return undefined
  const found = known.get(text)
  if (found !== undefined) return found
  const address = parse(text)
  if (address === undefined) return undefined
  const client = bucket(address)
  if (known.size >= MOST_KNOWN) known.clear()
  if (text.length <= LONGEST) known.set(text, client)
  return client
}

/** Whether the client is in one of these ranges (`192.0.2.0/24`, `2001:db8::/32`). */
export function isWithin({ ip }: ClientAddress, networks: readonly string[]): boolean {
  if (networks.length === 0) return false
  const address = parse(ip)
  if (address === undefined) return false
  return networks.some((network) => {
    const [range, bits] = ipaddr.parseCIDR(network)
    return range.kind() === address.kind() && address.match(range, bits)
  })
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Some proxies add a port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function parse(text: string | undefined): Address | undefined {
  const bare = text?.trim().replace(/^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/, '$1$2')
  // Only the four-part form: 0x7f.1 and 127.1 are the same address in other clothes.
  if (bare === undefined || !(ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare)))
    return undefined
  const address = ipaddr.process(bare)
  // A zone (fe80::1%eth0) names an interface of ours.
  return address instanceof ipaddr.IPv6 ? new ipaddr.IPv6(address.parts) : address
}

/** All whose address is unknown share one bucket: they are limited, not let through. */
const UNKNOWN: ClientAddress = { address: 'unknown', network: 'unknown', ip: 'unknown' }

function bucket(address: Address): ClientAddress {
  const ip = address.toString()
  const cut = (bits: number) => {
    const kept = address.toByteArray().map((byte, index) => {
      const free = Math.min(8, Math.max(0, 8 * (index + 1) - bits))
      return (byte >> free) << free
    })
    return `${ipaddr.fromByteArray(kept).toString()}/${bits}`
  }
  return address instanceof ipaddr.IPv4
    ? { address: ip, network: cut(24), ip }
    : { address: cut(64), network: cut(48), ip }
}
