import { assert, describe, it } from "@effect/vitest"
import { serialToIso, timeKind } from "../../src/documents/SerialTime.ts"

describe("SerialTime", () => {
  it("tells dates, times and durations from numbers", () => {
    const kinds: Record<string, string | undefined> = {
      General: undefined,
      Standard: undefined,
      "0.00": undefined,
      "0.00E+00": undefined,
      "#,##0 [$€-407]": undefined,
      '0" days"': undefined,
      "#,##0\\ \\d": undefined,
      "_-* #,##0.00\\ _D_M_-": undefined,
      "[Red]0;[Green]-0": undefined,
      "@": undefined,
      "": undefined,
      "yyyy-mm-dd": "date",
      "[$-409]d\\ mmm\\ yyyy;@": "date",
      'yyyy"年"m"月"d"日"': "date",
      mmm: "date",
      "[$-411]ggge": "date",
      "h:mm": "time",
      "mm:ss.0": "time",
      "h:mm AM/PM": "time",
      "dd/mm/yyyy hh:mm": "datetime",
      "[h]:mm": "duration",
      "[mm]:ss": "duration",
      "[ss]": "duration"
    }
    for (const [code, kind] of Object.entries(kinds)) assert.strictEqual(timeKind(code), kind, code)
  })

  it("turns serial numbers into ISO texts, with both first days", () => {
    assert.strictEqual(serialToIso(45296, "date", false), "2024-01-05")
    assert.strictEqual(serialToIso(45296.5625, "datetime", false), "2024-01-05T13:30:00")
    assert.strictEqual(serialToIso(45296, "datetime", false), "2024-01-05T00:00:00")
    assert.strictEqual(serialToIso(45296.25, "date", false), "2024-01-05T06:00:00")
    assert.strictEqual(serialToIso(0.5625, "time", false), "13:30:00")
    assert.strictEqual(serialToIso(45296.000005787, "datetime", false), "2024-01-05T00:00:00.500")
    assert.strictEqual(serialToIso(43834, "date", true), "2024-01-05")
    assert.strictEqual(serialToIso(0, "date", true), "1904-01-01")
  })

  it("steps over the day that only Excel knows", () => {
    assert.strictEqual(serialToIso(1, "date", false), "1900-01-01")
    assert.strictEqual(serialToIso(59, "date", false), "1900-02-28")
    assert.strictEqual(serialToIso(60, "date", false), "1900-02-28")
    assert.strictEqual(serialToIso(61, "date", false), "1900-03-01")
    assert.strictEqual(serialToIso(2_958_465, "date", false), "9999-12-31")
  })

  it("leaves what no calendar has", () => {
    for (const serial of [-1, 2_958_466, 1e300, Number.NaN]) assert.isUndefined(serialToIso(serial, "date", false))
  })

  it("writes durations longer than a day, and negative ones", () => {
    assert.strictEqual(serialToIso(26.5 / 24, "duration", false), "PT26H30M")
    assert.strictEqual(serialToIso(-1.5 / 1440, "duration", false), "-PT1M30S")
    assert.strictEqual(serialToIso(0, "duration", false), "PT0S")
    assert.isUndefined(serialToIso(1e300, "duration", false))
  })
})
