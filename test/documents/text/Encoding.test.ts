import { assert, describe, it } from "@effect/vitest"
import Iconv from "iconv-lite"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { encodingOf } from "../../../src/documents/text/Charset.ts"
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
    const decoded = await decode(bytes("Größe – €", "utf-8"), { declared: ["iso-8859-1"] })
    assert.deepStrictEqual(decoded, { text: "Größe – €", encoding: "utf-8", damaged: false })
  })

  it("keeps UTF-8 with a broken character, and says so", async () => {
    const cut = bytes(`${russian}я`, "utf-8").slice(0, -1)
    assert.deepStrictEqual(await decode(cut), { text: `${russian}\ufffd`, encoding: "utf-8", damaged: true })
  })

  it("believes what is declared where UTF-8 is out of question, in its larger meaning", async () => {
    const quoted = bytes("“Größe” €", "windows-1252")
    for (const declared of ["ISO-8859-1", "latin1", "us-ascii", "windows-1252"]) {
      assert.deepInclude(await decode(quoted, { declared: [declared] }), {
        text: "“Größe” €",
        encoding: "windows-1252"
      })
    }
    assert.deepInclude(await decode(bytes("漢字①", "cp932"), { declared: ["Shift_JIS"] }), { text: "漢字①" })
    // a lie, and a name of nothing
    for (const declared of ["utf-8", "utf-16", "no-such-encoding"]) {
      assert.strictEqual((await decode(bytes("Größe", "windows-1252"), { declared: [declared] })).text, "Größe")
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
    assert.deepInclude(await decode(japanese, { declared: ["iso-2022-jp"] }), { text: "日本." })
    const joined = Uint8Array.from([
      ...japanese.slice(0, 5),
      0x1b,
      0x28,
      0x42,
      ...japanese.slice(0, 3),
      ...japanese.slice(5)
    ])
    assert.deepInclude(await decode(joined), { text: "日本.", damaged: false })
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
    const decoded = await decode(bytes("Größe", "windows-1252"), { declared: ["x-klingon"] })
    assert.deepInclude(decoded, { text: "Größe", unknownName: "x-klingon" })
    assert.match(remarks(decoded).join(), /"x-klingon" is unknown/)
  })

  it("believes no declaration that the bytes rule out, and says so", async () => {
    const german = "Größe, Straße, übermäßig schön"
    const table = "姓名,地址\n王小明,北京市朝阳区\n"
    for (const [text, encoding, declared] of [
      [russian, "windows-1251", "iso-8859-1"],
      [russian, "koi8-r", "windows-1251"],
      [russian, "cp866", "koi8-r"],
      [german, "latin1", "windows-1251"],
      [german, "latin1", "shift_jis"],
      [table, "gbk", "iso-8859-1"],
      ["名前,住所\n山田,東京都千代田区\n", "cp932", "windows-1252"],
      ["姓名,地址\n王小明,台北市信義區\n", "big5", "utf-8"]
    ] as const) {
      const decoded = await decode(bytes(text, encoding), { declared: [declared] })
      assert.deepInclude(decoded, { text, guessed: true, wrongName: declared }, `${encoding} declared as ${declared}`)
      assert.match(remarks(decoded).join(), /is not in the declared encoding/)
    }
    for (const [text, encoding] of [
      [german, "latin1"],
      ["Zażółć gęślą jaźń, źdźbło trawy, łóżko", "iso-8859-2"],
      ["Příliš žluťoučký kůň úpěl ďábelské ódy", "windows-1250"],
      ["Ξεσκεπάζω την ψυχοφθόρα βδελυγμία", "windows-1253"],
      ["שלום עולם זה טקסט", "windows-1255"],
      ["╔════╗\n║ МИР ║\n╚════╝ мир", "cp866"]
    ] as const) {
      assert.deepStrictEqual(remarks(await decode(bytes(text, encoding), { declared: [encoding] })), [], text)
    }
  })

  it("goes on to what else is declared behind a name of nothing, and knows the names that mail programs make up", async () => {
    const decoded = await decode(bytes(russian, "koi8-r"), { declared: ["unknown-8bit", "koi8-r"] })
    assert.deepStrictEqual([decoded.text, remarks(decoded)], [russian, []])
    for (const [name, encoding] of [
      ["x-mac-roman", "macintosh"],
      ["X-SJIS", "cp932"],
      ["x-windows-949", "cp949"],
      ["ms932", "cp932"],
      ["csISO2022JP", "iso-2022-jp"],
      ["utf8mb4", "utf-8"]
    ] as const) {
      assert.strictEqual(encodingOf(name), encoding)
    }
    for (const name of ["base64", "hex", "8bit", "unknown", ""]) assert.isUndefined(encodingOf(name))
  })

  it("makes words of a few letters of other alphabets", async () => {
    for (const [text, encoding] of [
      ["Имя;Адрес\nИван;Москва", "windows-1251"],
      ["Имя;Адрес\nИван;Москва", "koi8-r"],
      ["Όνομα;Διεύθυνση\nΓιάννης;Αθήνα", "windows-1253"],
      ["שם;כתובת\nדוד;ירושלים", "windows-1255"],
      ["a —————————— b\n——————————\n", "windows-1252"],
      ["12 m² ± 3 µm", "windows-1252"]
    ] as const) {
      const decoded = await decode(bytes(text, encoding))
      assert.deepInclude(decoded, { text, guessed: true }, encoding)
    }
  })

  it("knows a few words of Central Europe and of Turkish from those of Western Europe, and says that it guessed", async () => {
    for (const [encoding, text] of [
      ["windows-1250", "Umowa została zawarta między stronami."],
      ["windows-1250", "ZAŁĄCZNIK"],
      ["windows-1250", "Smlouva byla uzavřena dne 5. května."],
      ["windows-1250", "A szerződés megkötése"],
      ["windows-1254", "Sözleşme imzalandı"],
      ["windows-1254", "Türkiye'nin başkenti"],
      ["windows-1252", "Þetta er íslenska, það er gott"],
      ["windows-1252", "Le café est prêt à 5 €, août"],
      ["windows-1252", "¿Qué pasa, señor?"],
      ["windows-1252", "10 µg/m³ à 20 °C"],
      ["windows-1252", "As questões são simples"],
      ["windows-1252", "Rødgrød med fløde på én øl"],
      ["windows-1252", "È più facile, ma ciò è vero: lunedì"]
    ] as const) {
      const decoded = await decode(Iconv.encode(text, encoding))
      assert.deepInclude(decoded, { text, encoding, guessed: true })
    }
  })

  it("reads what a cut or another standard leaves of seven and sixteen bits, and says what is broken", async () => {
    const latin = (text: string): Uint8Array => bytes(text, "latin1")
    const seven = (text: string, encoding: string): string =>
      Buffer.from(bytes(text, encoding).map((byte) => byte & 0x7f)).toString("latin1")
    const korean = latin(`\u001b$)Cab \u000e${seven("한글", "cp949")}\u000f.`)
    assert.deepInclude(await decode(korean), { text: "ab 한글.", encoding: "iso-2022-kr" })
    for (const [cut, text] of [
      [latin(`\u001b$B${seven("日本", "euc-jp")}F`), "日本\ufffd"],
      [latin(`~{${seven("己所", "gbk")}~} ~{${seven("不欲", "gbk").slice(0, 3)}`), "己所 不\ufffd"],
      [bytes("Größe über", "utf-16le").slice(0, -1), "Größe übe\ufffd"],
      [bytes("Gr 😀", "utf-16be").slice(0, -2), "Gr \ufffd"]
    ] as const) {
      const decoded = await decode(cut)
      assert.deepInclude(decoded, { text, damaged: true })
      assert.match(remarks(decoded).join(), /characters are broken/)
    }
    const log = "\u001b[31mred\u001b(B\u001b[m $5"
    assert.deepInclude(await decode(latin(log)), { text: log, encoding: "utf-8" })
    assert.strictEqual((await decode(latin(`a\u001b(J\u005c\u001b(B`), { encoding: "iso-2022-jp" })).text, "a¥")
  })

  it("says when the encoding that was asked for is not what the bytes look like", async () => {
    const decoded = await decode(bytes("Größe", "utf-8"), { encoding: "latin1" })
    assert.deepStrictEqual([decoded.text, decoded.doubtful], ["GrÃ¶ÃŸe", true])
    assert.match(remarks(await decode(bytes(russian, "koi8-r"), { encoding: "latin1" })).join(), /does not look/)
    assert.deepStrictEqual(remarks(await decode(bytes("Größe", "latin1"), { encoding: "latin1" })), [])
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
