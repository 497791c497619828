import { assert, describe, it } from "@effect/vitest"
import Iconv from "iconv-lite"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { decode, isKnown, remarks } from "../../../src/documents/text/Encoding.ts"

const bytes = (text: string, encoding: string, addBOM = false): Uint8Array =>
  new Uint8Array(Iconv.encode(text, encoding, { addBOM }))

const russian =
  "Однажды, в студеную зимнюю пору, я из лесу вышел; был сильный мороз. Гляжу, поднимается медленно в гору лошадка, везущая хворосту воз."

describe("decode", () => {
  it("goes by byte order marks, which are not part of the text", async () => {
    for (const encoding of ["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be"]) {
      assert.deepStrictEqual(
        await decode(bytes("Zoë 漢字", encoding, true)),
        { text: "Zoë 漢字", encoding, damaged: false },
        encoding
      )
    }
  })

  it("knows UTF-16 and UTF-32 without a mark by their zeros, in any script", async () => {
    for (const text of [
      "Plain words.\nAnd more of them.",
      `${russian}\n${russian}`,
      "漢字 仮名 交じり文\nの 例\n文\n"
    ]) {
      for (const encoding of ["utf-16le", "utf-16be", "utf-32le", "utf-32be"]) {
        const decoded = await decode(bytes(text, encoding))
        assert.deepStrictEqual([decoded.text, decoded.encoding], [text, encoding])
      }
    }
  })

  it("takes valid UTF-8 for what it is, whatever is declared", async () => {
    const decoded = await decode(bytes("Größe – €", "utf-8"), { declared: "iso-8859-1" })
    assert.deepStrictEqual(decoded, { text: "Größe – €", encoding: "utf-8", damaged: false })
  })

  it("keeps UTF-8 with a broken character, and says so", async () => {
    const cut = bytes(`${russian}я`, "utf-8").slice(0, -1)
    assert.deepStrictEqual(await decode(cut), { text: `${russian}\ufffd`, encoding: "utf-8", damaged: true })
  })

  it("believes what is declared where UTF-8 is out of question, in its larger meaning", async () => {
    const quoted = bytes("“Größe” €", "windows-1252")
    for (const declared of ["ISO-8859-1", "latin1", "us-ascii", "windows-1252"]) {
      assert.deepInclude(await decode(quoted, { declared }), { text: "“Größe” €", encoding: "windows-1252" })
    }
    assert.deepInclude(await decode(bytes("漢字①", "cp932"), { declared: "Shift_JIS" }), { text: "漢字①" })
    // a lie, and a name of nothing
    for (const declared of ["utf-8", "utf-16", "no-such-encoding"]) {
      assert.strictEqual((await decode(bytes("Größe", "windows-1252"), { declared })).text, "Größe")
    }
  })

  it("guesses by letter frequencies, also where the first of them come late", async () => {
    assert.strictEqual((await decode(bytes(russian, "cp866"))).text, russian)
    assert.strictEqual((await decode(bytes(russian, "koi8-r"))).text, russian)
    const late = `${"ascii ".repeat(20_000)}${russian}`
    assert.isTrue((await decode(bytes(late, "windows-1251"))).text === late)
  })

  it("reads encodings of seven bits", async () => {
    const japanese = Uint8Array.from([0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42, 0x2e])
    assert.deepInclude(await decode(japanese), { text: "日本.", encoding: "iso-2022-jp" })
    assert.deepInclude(await decode(japanese, { declared: "iso-2022-jp" }), { text: "日本." })
    const inside = bytes("己所不欲", "gbk").map((byte) => byte & 0x7f)
    const hz = Uint8Array.from([...bytes("This is ~{", "latin1"), ...inside, ...bytes("~} ~~.", "latin1")])
    assert.deepInclude(await decode(hz), { text: "This is 己所不欲 ~.", encoding: "hz-gb-2312" })
    assert.deepInclude(await decode(bytes("Gr+APwA3w-e, M+APw-nchen", "latin1")), {
      text: "Grüße, München",
      encoding: "utf-7"
    })
    for (const plain of ["Call +49123456-12 or +1-202", "a+b-c", "x = y+foo-1", "~{x~} in C", "a ~~ b"]) {
      assert.deepInclude(await decode(bytes(plain, "latin1")), { text: plain, encoding: "utf-8" })
    }
  })

  it("keeps UTF-8 that a cut ended or began within a character, however short", async () => {
    const cut = Uint8Array.from([...bytes("Größe über Ma", "utf-8"), 0xc3])
    assert.deepStrictEqual(await decode(cut), { text: "Größe über Ma\ufffd", encoding: "utf-8", damaged: true })
    assert.deepInclude(await decode(bytes("€ und Ä", "utf-8").slice(1)), { encoding: "utf-8", damaged: true })
    assert.deepInclude(await decode(bytes("naïve 😀", "utf-8").slice(0, -1)), { encoding: "utf-8", damaged: true })
  })

  it("knows few words of East Asian encodings, and says that it guessed", async () => {
    for (const [text, encoding] of [
      ["名前,住所\n山田,東京都千代田区\n", "cp932"],
      ["氏名、住所", "euc-jp"],
      ["姓名,地址\n王小明,北京市朝阳区\n", "gbk"],
      ["이름,주소\n김철수,서울특별시\n", "cp949"]
    ] as const) {
      const decoded = await decode(bytes(text, encoding))
      assert.deepInclude(decoded, { text, guessed: true }, encoding)
      assert.match(remarks(decoded).join(), /was guessed/)
    }
  })

  it("says which name is that of no encoding", async () => {
    const decoded = await decode(bytes("Größe", "windows-1252"), { declared: "x-klingon" })
    assert.deepInclude(decoded, { text: "Größe", unknownName: "x-klingon" })
    assert.match(remarks(decoded).join(), /"x-klingon" is unknown/)
  })

  it("obeys the encoding that is asked for, and refuses one that it does not know", async () => {
    assert.deepInclude(await decode(bytes("ÄÖ", "utf-8"), { encoding: "latin1" }), { text: "Ã„Ã–" })
    const error = await decode(new Uint8Array(1), { encoding: "klingon" }).catch((cause: unknown) => cause)
    assert.instanceOf(error, DocumentError)
    assert.isFalse(isKnown("klingon"))
    assert.isTrue(isKnown("Windows-1252"))
  })

  it("has a text for any bytes", async () => {
    let state = 1
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647
      return state
    }
    for (let round = 0; round < 300; round++) {
      const noise = Uint8Array.from({ length: random() % 200 }, () => random() % 256)
      assert.isString((await decode(noise)).text)
    }
  })
})
