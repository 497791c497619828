import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { resolve } from "../../src/web/HostAddresses.ts"
import { isPublicAddress } from "../../src/web/PublicAddress.ts"

const closed = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::FFFF:10.0.0.1",
  "0:0:0:0:0:ffff:c0a8:0101",
  "64:ff9b::10.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "2001:20::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:c0a8:101::1",
  "3fff::1",
  "3fff:fff::1",
  "5f00::1",
  "fc00::1",
  "fd12:3456:789a::1",
  "fe80::1",
  "fe80::1%eth0",
  "2606:4700::1111%eth0",
  "fec0::1",
  "ff02::1"
]

const open = [
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "100.128.0.1",
  "126.255.255.255",
  "128.0.0.1",
  "168.63.129.17",
  "169.253.0.1",
  "172.15.0.1",
  "172.32.0.1",
  "192.0.1.1",
  "192.167.1.1",
  "198.17.0.1",
  "198.20.0.1",
  "223.255.255.255",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "2001:200::1",
  "2002:808:808::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:80b::200e"
]

describe("isPublicAddress", () => {
  for (const address of closed) it(`refuses ${address}`, () => assert.isFalse(isPublicAddress(address)))
  for (const address of open) it(`takes ${address}`, () => assert.isTrue(isPublicAddress(address)))

  it("refuses what is no address", () => {
    for (const text of ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.1.1.1 ", "0x7f.1", ":::", "[::1]"]) {
      assert.isFalse(isPublicAddress(text), text)
    }
  })
})

describe("resolve", () => {
  const names: Readonly<Record<string, ReadonlyArray<string>>> = {
    "public.test": ["8.8.8.8", "2606:4700:4700::1111"],
    "mixed.test": ["8.8.8.8", "10.0.0.8"],
    "none.test": []
  }
  const lookup = (host: string) => Effect.succeed(names[host] ?? [])
  const strict = { allowPrivate: false, lookup }

  it.effect("gives all addresses of a public name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve(strict, "public.test"), names["public.test"])
    })
  )

  it.effect("refuses a name if any one of its addresses is private, and says which", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolve(strict, "mixed.test"))
      assert.strictEqual(error.reason, "Refused")
      assert.include(error.message, "10.0.0.8")
      assert.include(error.message, "allow_private_addresses")
      assert.deepStrictEqual(yield* resolve({ allowPrivate: true, lookup }, "mixed.test"), names["mixed.test"])
    })
  )

  it.effect("knows when there is no such name", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(resolve(strict, "none.test"))).reason, "Unreachable")
    })
  )

  it.effect("asks no resolver about addresses, however they are written in the URL", () =>
    Effect.gen(function* () {
      for (const url of [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://①②⑦.0.0.1/"
      ]) {
        const error = yield* Effect.flip(
          resolve({ allowPrivate: false, lookup: () => Effect.die("asked") }, new URL(url).hostname)
        )
        assert.strictEqual(error.reason, "Refused", url)
      }
    })
  )
})
