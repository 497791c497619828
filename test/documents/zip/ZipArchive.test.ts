import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/documents/Limits.ts"
import { openZip } from "../../../src/documents/zip/ZipArchive.ts"
import { deflatedZeros, makeZip } from "../../support/Zip.ts"
import { ending, failure } from "../Packages.ts"

const mebibyte = 1024 * 1024
const limits = Limits.defaults
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes))

const failureOf = (entry: object) =>
  failure(() => openZip(makeZip([{ name: "a", content: "alpha", ...entry }]), limits).read("a"))

describe("ZipArchive", () => {
  it("reads deflated, stored and large-file entries, in any case", () => {
    const zip = openZip(
      makeZip([
        { name: "a.xml", content: "alpha" },
        { name: "B/b.xml", content: "beta", stored: true },
        { name: "c.xml", content: "gamma", zip64: true }
      ]),
      limits
    )
    assert.deepStrictEqual(zip.names, ["a.xml", "B/b.xml", "c.xml"])
    assert.strictEqual(text(zip.read("a.xml")), "alpha")
    assert.strictEqual(text(zip.read("b/B.XML")), "beta")
    assert.strictEqual(text(zip.read("c.xml")), "gamma")
    assert.isUndefined(zip.read("d.xml"))
  })

  it("reads an archive behind other bytes", () => {
    const zip = makeZip([{ name: "a.xml", content: "alpha" }])
    const shifted = new Uint8Array([...new TextEncoder().encode("#!/bin/sh"), ...zip])
    assert.strictEqual(text(openZip(shifted, limits).read("a.xml")), "alpha")
  })

  it("takes names as names: nothing leads out, and `__proto__` is an entry like any other", () => {
    const zip = openZip(
      makeZip([
        { name: "../../etc/passwd", content: "one" },
        { name: "\\windows\\x", content: "two" },
        { name: "__proto__", content: "three" }
      ]),
      limits
    )
    assert.strictEqual(text(zip.read("../../etc/passwd")), "one")
    assert.strictEqual(text(zip.read("windows/x")), "two")
    assert.strictEqual(text(zip.read("__proto__")), "three")
    assert.isUndefined(zip.read("constructor"))
  })

  it("takes the later of two entries of one name", () => {
    const zip = openZip(
      makeZip([
        { name: "a", content: "one" },
        { name: "A", content: "two" }
      ]),
      limits
    )
    assert.strictEqual(text(zip.read("a")), "two")
  })

  it("stops a bomb at the ratio, whatever its size", () => {
    const bomb = makeZip([
      { name: "bomb", content: deflatedZeros(64 * mebibyte), deflated: true, declaredSize: 0, crc: 0 }
    ])
    assert.isBelow(bomb.byteLength, 100_000)
    assert.strictEqual(failure(() => openZip(bomb, limits).read("bomb")).limit, "ratio")
  })

  it("lets well-packed content pass below the floor of the ratio", () => {
    const zip = makeZip([{ name: "a", content: new Uint8Array(9 * mebibyte) }])
    assert.strictEqual(openZip(zip, limits).read("a")?.byteLength, 9 * mebibyte)
  })

  it("bounds a part and all parts together, counting a part each time", () => {
    const zip = makeZip([
      { name: "a", content: "x".repeat(600), stored: true },
      { name: "b", content: "y".repeat(600) }
    ])
    assert.strictEqual(failure(() => openZip(zip, { ...limits, partBytes: 500 }).read("a")).limit, "partBytes")
    assert.strictEqual(failure(() => openZip(zip, { ...limits, partBytes: 500 }).read("b")).limit, "partBytes")
    const archive = openZip(zip, { ...limits, totalBytes: 1000 })
    archive.read("b")
    assert.strictEqual(failure(() => archive.read("b")).limit, "totalBytes")
  })

  it("refuses a part that is larger than the directory promises", () => {
    const zip = makeZip([{ name: "a", content: new Uint8Array(8 * mebibyte), declaredSize: 1000 }])
    const error = failure(() => openZip(zip, limits).read("a"))
    assert.strictEqual(error.reason, "Damaged")
    assert.include(error.message, "larger than the zip directory says (1000 bytes)")
  })

  it("reads what there is when the directory promises 4 GiB", () => {
    const zip = makeZip([{ name: "a", content: "x".repeat(1000), declaredSize: 0xfffffffe }])
    assert.strictEqual(openZip(zip, limits).read("a")?.byteLength, 1000)
  })

  it("bounds the number of entries", () => {
    const zip = makeZip(Array.from({ length: 30 }, (_, index) => ({ name: `${index}`, content: "" })))
    assert.strictEqual(failure(() => openZip(zip, { ...limits, entries: 29 })).limit, "entries")
    assert.strictEqual(openZip(zip, { ...limits, entries: 30 }).names.length, 30)
  })

  it("says which part needs a password, is packed oddly, or is broken", () => {
    assert.strictEqual(failureOf({ encrypted: true }).reason, "Encrypted")
    assert.strictEqual(failureOf({ method: 12 }).reason, "Unsupported")
    assert.strictEqual(failureOf({ stored: true, method: 8 }).reason, "Damaged")
  })

  it("tells of a wrong checksum and still gives the content", () => {
    const told: Array<string> = []
    const zip = openZip(makeZip([{ name: "a", content: "alpha", crc: 7 }]), limits, (name) => told.push(name))
    assert.strictEqual(text(zip.read("a")), "alpha")
    assert.deepStrictEqual(told, ["a"])
  })

  it("calls every cut Damaged, and ends in nothing else whatever byte is changed", () => {
    const zip = makeZip([
      { name: "a.xml", content: "alpha ".repeat(50) },
      { name: "b.xml", content: "beta" }
    ])
    for (let length = 4; length < zip.byteLength; length++) {
      const error = failure(() => openZip(zip.subarray(0, length), limits).read("a.xml"))
      assert.strictEqual(error.reason, "Damaged", `cut at ${length}`)
    }
    let intact = 0
    for (let position = 0; position < zip.byteLength; position++) {
      const changed = Uint8Array.from(zip)
      changed[position] = (changed[position] ?? 0) ^ 0xff
      if (ending(() => openZip(changed, limits).read("a.xml")) === undefined) intact++
    }
    assert.isAbove(intact, 0)
  })
})
