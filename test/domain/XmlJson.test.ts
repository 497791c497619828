import { assert, describe, it } from "@effect/vitest"
import * as XmlJson from "../../src/domain/XmlJson.ts"

describe("XmlJson", () => {
  it("leaves what XML can carry as it is, and escapes the rest", () => {
    const value = { text: "größe 文書 🙂 \u0085\u2028", odd: "\u0000\u001f\ufffe\uffff\ud800", big: 2n ** 70n }
    const text = XmlJson.stringify(value)
    assert.include(text, "größe 文書 🙂 \u0085\u2028")
    assert.include(text, String.raw`\u0000\u001f\ufffe\uffff\ud800`)
    assert.include(text, "1180591620717411303424")
    assert.strictEqual(JSON.parse(text).odd, value.odd)
  })
})
