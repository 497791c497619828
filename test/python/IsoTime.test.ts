import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as IsoTime from "../../src/python/IsoTime.ts"

const read = (text: string) =>
  Option.getOrNull(Option.map(IsoTime.parse(text), ({ epochMillis }) => new Date(epochMillis).toISOString()))

describe("IsoTime", () => {
  it("reads what Python's datetime.fromisoformat reads", () => {
    const times = {
      "2026-01-05": "2026-01-05T00:00:00.000Z",
      "20260105": "2026-01-05T00:00:00.000Z",
      "2026-01-05T10": "2026-01-05T10:00:00.000Z",
      "2026-01-05 10:11": "2026-01-05T10:11:00.000Z",
      "2026-01-05T10:11:12.345678": "2026-01-05T10:11:12.345Z",
      "2026-01-05T10:11:12,5Z": "2026-01-05T10:11:12.500Z",
      "20260105T101112-0130": "2026-01-05T11:41:12.000Z",
      "2026-01-05T12:00:00+02:00": "2026-01-05T10:00:00.000Z",
      "2024-02-29": "2024-02-29T00:00:00.000Z"
    }
    for (const [text, expected] of Object.entries(times)) assert.strictEqual(read(text), expected, text)
  })

  it("refuses everything else", () => {
    for (const text of [
      "",
      "5",
      "2026",
      "2026-1-5",
      "2026-02-29",
      "2026-01-05T24:00",
      "2026-01-05T10:60",
      "2026-13-01",
      "0000-01-01",
      "5 Jan 2026",
      `2026-01-05${" ".repeat(100)}`
    ]) {
      assert.isNull(read(text), text)
    }
  })

  it("keeps the day that the text writes", () => {
    assert.deepInclude(Option.getOrNull(IsoTime.parse("2025-12-31T23:00:00-05:00")), {
      year: "2025",
      month: "12",
      day: "31"
    })
  })
})
