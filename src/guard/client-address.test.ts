import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { clientAddress, isWithin } from './client-address.ts'

const from = (socket: string | undefined, forwarded?: string, hops = 0) =>
  clientAddress({ address: socket }, forwarded, hops).address

describe('which entry of X-Forwarded-For counts', () => {
  const chain = '1.1.1.1, 2.2.2.2, 3.3.3.3'
  test.each([
    [0, '9.9.9.9'],
    [1, '3.3.3.3'],
    [2, '2.2.2.2'],
    [3, '1.1.1.1'],
    [4, '9.9.9.9'],
  ])('%i trusted hops', (hops, expected) => expect(from('9.9.9.9', chain, hops)).toBe(expected))

  test.each([
    ['no header', undefined],
    ['an empty one', ''],
    ['no address', '1.1.1.1, unknown'],
    ['an empty entry', '1.1.1.1, '],
    ['an address in octal', '0177.0.0.1'],
    ['a short address', '127.1'],
    ['a number', '2130706433'],
    ['a range', '1.1.1.0/24'],
    ['too much', '1.1.1.256'],
    ['markup', '<b>1.1.1.1</b>'],
  ])('the socket counts where there is %s', (_, header) => expect(from('9.9.9.9', header, 1)).toBe('9.9.9.9'))

  test('whatever a client puts in front changes nothing', () => {
    fc.assert(
      fc.property(fc.string(), (forged) => {
        expect(from('10.0.0.1', `${forged}, 203.0.113.7`, 1)).toBe('203.0.113.7')
        expect(from('10.0.0.1', `${forged}, 203.0.113.7, 10.0.0.2`, 2)).toBe('203.0.113.7')
        expect(from('203.0.113.7', forged, 0)).toBe('203.0.113.7')
      }),
    )
  })

  test('a port is not part of it', () => {
    expect(from('9.9.9.9', '1.2.3.4:567', 1)).toBe('1.2.3.4')
    expect(from('9.9.9.9', '[2001:db8::1]:567', 1)).toBe('2001:db8::/64')
  })
})

describe('buckets', () => {
  test.each([
    ['mapped IPv4', '::ffff:192.0.2.7', '192.0.2.7'],
    ['mapped IPv4 in hex', '::ffff:c000:207', '192.0.2.7'],
    ['mapped IPv4 in capitals', '0:0:0:0:0:FFFF:192.0.2.7', '192.0.2.7'],
    ['IPv6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['a zone', 'fe80::1%eth0', 'fe80::/64'],
  ])('%s', (_, given, expected) => expect(from(given)).toBe(expected))

  test('a /64 is one address and a /48 one network', () => {
    const part = fc.integer({ min: 0, max: 0xffff })
    fc.assert(
      fc.property(fc.array(part, { minLength: 5, maxLength: 5 }), ([subnet, ...host]) => {
        const tail = host.map((word) => word.toString(16)).join(':')
        expect(from(`2001:db8:7:9:${tail}`)).toBe('2001:db8:7:9::/64')
        const elsewhere = clientAddress(
          { address: `2001:db8:7:${(subnet ?? 0).toString(16)}:${tail}` },
          undefined,
          0,
        )
        expect(elsewhere.network).toBe('2001:db8:7::/48')
      }),
    )
  })

  test('an IPv4 /24 is one network', () => {
    expect(clientAddress({ address: '192.0.2.7' }, undefined, 0).network).toBe('192.0.2.0/24')
    expect(clientAddress({ address: '192.0.3.7' }, undefined, 0).network).toBe('192.0.3.0/24')
  })

  test('who can not be told apart shares a bucket', () =>
    expect(from(undefined, '1.2.3.4', 0)).toBe('unknown'))

  test('ranges', () => {
    const client = clientAddress({ address: '::ffff:192.0.2.7' }, undefined, 0)
    expect(isWithin(client, ['2001:db8::/32', '192.0.2.0/24'])).toBe(true)
    expect(isWithin(client, ['192.0.3.0/24'])).toBe(false)
    expect(
      isWithin(clientAddress({ address: '2001:db8::1' }, undefined, 0), ['192.0.2.0/24', '2001:db8::/32']),
    ).toBe(true)
    expect(isWithin(clientAddress({}, undefined, 0), ['0.0.0.0/0', '::/0'])).toBe(false)
  })
})
