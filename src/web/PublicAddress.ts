import { isIP } from "node:net"

/**
 * Whether an IP address is one of the public internet. False for every private, loopback, link-local, shared, documentation, multicast and reserved
 * range (IANA's special-purpose registries, RFC 6890), for IPv6 that carries such an IPv4 address, and for what is no IP address.
 */
export const isPublicAddress = (address: string): boolean => {
  // A zone (fe80::1%eth0) only makes sense on the machine's own links.
  switch (isIP(address)) {
    case 4:
      return isPublicV4(bytesOfV4(address))
    case 6:
      return !address.includes("%") && isPublicV6(bytesOfV6(address))
    default:
      return false
  }
}

type Bytes = ReadonlyArray<number>
type Range = readonly [bytes: Bytes, length: number]

const v4 = (text: string, length: number): Range => [bytesOfV4(text), length]
const v6 = (text: string, length: number): Range => [bytesOfV6(text), length]

const bytesOfV4 = (text: string): Bytes => text.split(".").map(Number)

/** The 16 bytes of an address that `isIP` has accepted. */
const bytesOfV6 = (text: string): Bytes => {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = dotted === null ? [] : bytesOfV4(dotted[2] ?? "")
  const hex = dotted === null ? text : (dotted[1] ?? "").replace(/([^:]):$/, "$1")
  const [before = "", after] = hex.split("::")
  const head = groups(before)
  const end = [...groups(after ?? ""), ...tail]
  const zeros = after === undefined ? 0 : 16 - head.length - end.length
  return [...head, ...Array<number>(Math.max(0, zeros)).fill(0), ...end]
}

const groups = (text: string): Bytes =>
  text === ""
    ? []
    : text.split(":").flatMap((group) => {
        const value = Number.parseInt(group, 16)
        return [value >> 8, value & 0xff]
      })

const within = (address: Bytes, [start, length]: Range): boolean => {
  for (let bit = 0; bit < length; bit += 8) {
    const mask = length - bit >= 8 ? 0xff : (0xff << (8 - (length - bit))) & 0xff
    if (((address[bit / 8] ?? 0) & mask) !== ((start[bit / 8] ?? 0) & mask)) return false
  }
  return true
}

const closedV4: ReadonlyArray<Range> = [
  v4("0.0.0.0", 8),
  v4("10.0.0.0", 8),
  v4("100.64.0.0", 10),
  v4("127.0.0.0", 8),
  // Azure's wire server: a public number, but the platform's own, and only from inside.
  v4("168.63.129.16", 32),
  v4("169.254.0.0", 16),
  v4("172.16.0.0", 12),
  v4("192.0.0.0", 24),
  v4("192.0.2.0", 24),
  v4("192.88.99.0", 24),
  v4("192.168.0.0", 16),
  v4("198.18.0.0", 15),
  v4("198.51.100.0", 24),
  v4("203.0.113.0", 24),
  v4("224.0.0.0", 4),
  v4("240.0.0.0", 4)
]

const globalV6 = v6("2000::", 3)
const closedV6: ReadonlyArray<Range> = [
  // IETF protocols, Teredo and ORCHID among them.
  v6("2001::", 23),
  v6("2001:db8::", 32),
  v6("3fff::", 20)
]

/** Where an IPv4 address stands in an IPv6 address of this range: its first byte. */
const carriers: ReadonlyArray<readonly [Range, number]> = [
  [v6("::ffff:0:0", 96), 12],
  // NAT64: how a network without IPv4 reaches the rest of the internet.
  [v6("64:ff9b::", 96), 12],
  // 6to4
  [v6("2002::", 16), 2]
]

const isPublicV4 = (address: Bytes): boolean => !closedV4.some((range) => within(address, range))

const isPublicV6 = (address: Bytes): boolean => {
  const carrier = carriers.find(([range]) => within(address, range))
  return carrier === undefined
    ? within(address, globalV6) && !closedV6.some((range) => within(address, range))
    : isPublicV4(address.slice(carrier[1], carrier[1] + 4))
}
