import { assert, describe, it } from "@effect/vitest"
import Iconv from "iconv-lite"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { mailDate } from "../../../src/documents/mail/MailDate.ts"
import { readText } from "../../../src/documents/text/TextReader.ts"
import { defaultLimits, defaults, type TextLimits, type TextOptions } from "../../../src/documents/text/TextDocument.ts"

const read = (mail: string, options: Partial<TextOptions> = {}, limits: Partial<TextLimits> = {}) =>
  readText(
    new Uint8Array(Buffer.from(mail, "latin1")),
    { ...defaults, format: "email", ...options },
    { ...defaultLimits, ...limits }
  )

const head =
  "From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nTo: Bob <bob@example.org>, carol@example.org\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nDate: Tue, 2 Jan 2024 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n"

const multipart = [
  `${head}MIME-Version: 1.0`,
  'Content-Type: multipart/mixed; boundary="B"',
  "",
  "--B",
  'Content-Type: multipart/alternative; boundary="C"',
  "",
  "--C",
  "Content-Type: text/plain; charset=windows-1252",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "It=92s plain, and more: Hi a b x",
  "--C",
  "Content-Type: text/html; charset=utf-8",
  "",
  '<h1>Hi</h1><table><tr><td>a</td><td>b</td></tr></table><a href="https://example.org">x</a>',
  "--C--",
  "--B",
  "Content-Type: application/pdf",
  'Content-Disposition: attachment; filename="../../etc/report.pdf"',
  "Content-Transfer-Encoding: base64",
  "",
  Buffer.from("%PDF-1.4").toString("base64"),
  "--B--",
  ""
].join("\r\n")

describe("mail boxes and marks", () => {
  for (const end of ["\n", "\r\n"]) {
    it(`end their first mail at the next envelope, with ${JSON.stringify(end)}`, async () => {
      const mail = [
        "From a@b Tue Jan  2",
        "From: a@b",
        "Subject: first",
        "",
        "one",
        "",
        "From c@d Tue Jan  2",
        "Subject: second",
        "",
        "two",
        ""
      ].join(end)
      const document = await read(mail, { mail_headers: false })
      assert.strictEqual(document.text, "one")
      assert.match(document.warnings.join(), /only its first mail/)
    })
  }

  it("are no part of the first header", async () => {
    const document = await read("\u00ef\u00bb\u00bfFrom: Ann <a@example.com>\r\nSubject: x\r\n\r\nbody")
    assert.strictEqual(document.properties["from"], "Ann <a@example.com>")
  })
})

describe("texts of parts", () => {
  const part = (headers: ReadonlyArray<string>, content: string): string => [...headers, "", content].join("\r\n")
  const alternatives = (...parts: ReadonlyArray<string>): string =>
    `${head}Content-Type: multipart/alternative; boundary=A\r\n\r\n${parts.map((each) => `--A\r\n${each}\r\n`).join("")}--A--\r\n`
  const body = async (mail: string) => {
    const { text, warnings } = await read(mail, { mail_headers: false })
    return { text, warnings: warnings.join() }
  }

  it("are those of the HTML where the plain text is a stub, and both where they differ", async () => {
    const html = part(["Content-Type: text/html"], "<p>The real content: your order 4711 ships on Friday.</p>")
    const real = "The real content: your order 4711 ships on Friday."
    const stub = "Your mail program does not show HTML. Please see https://example.org/mail/1"
    assert.deepStrictEqual(await body(alternatives(part(["Content-Type: text/plain"], stub), html)), {
      text: real,
      warnings: "The plain text of the mail leaves out most of what its HTML says, which was read in its place"
    })
    const other = await body(alternatives(part(["Content-Type: text/plain"], "Meet me at noon, says Bob."), html))
    assert.strictEqual(other.text, `Meet me at noon, says Bob.\n\n${real}`)
    assert.match(other.warnings, /differ/)
    const same = await body(alternatives(part(["Content-Type: text/plain"], `${real}\r\nhttps://example.org`), html))
    assert.deepStrictEqual(same, { text: `${real}\nhttps://example.org`, warnings: "" })
    const related = [
      'Content-Type: multipart/related; boundary="R"',
      "",
      "--R",
      "Content-Type: text/html; charset=utf-8",
      "",
      "<p>Hallo und guten Tag, hier ist die Rechnung \u00c3\u00bcber 12 Euro.</p>",
      "--R",
      "Content-Type: image/png; name=l.png",
      "Content-ID: <l>",
      "Content-Transfer-Encoding: base64",
      "",
      "AAAA",
      "--R--"
    ].join("\r\n")
    const inner = await read(alternatives(part(["Content-Type: text/plain"], ""), related), { mail_headers: false })
    assert.strictEqual(inner.text, "Hallo und guten Tag, hier ist die Rechnung über 12 Euro.")
    assert.deepInclude(inner.attachments?.[0], { filename: "l.png", inline: true })
  })

  it("are decoded as the bytes tell where no charset, an unknown or a wrong one is named", async () => {
    const plain = (charset: string | undefined, content: string) =>
      body(`${head}Content-Type: text/plain${charset === undefined ? "" : `; charset=${charset}`}\r\n\r\n${content}`)
    const latin = (text: string, encoding: string): string => Iconv.encode(text, encoding).toString("latin1")
    for (const charset of [undefined, "unknown-8bit", "us-ascii", "iso-8859-1"]) {
      const { text } = await plain(charset, latin("Café – Größe", "utf-8"))
      assert.strictEqual(text, "Café – Größe", charset)
    }
    const russian = "Однажды, в студеную зимнюю пору, я из лесу вышел; был сильный мороз."
    for (const [charset, told] of [
      [undefined, /Nothing says reliably/],
      ["x-unknown", /"x-unknown" is unknown; koi8-r was guessed/],
      ["iso-8859-1", /is not in the declared encoding "iso-8859-1"; koi8-r/]
    ] as const) {
      const found = await plain(charset, latin(russian, "koi8-r"))
      assert.strictEqual(found.text, russian)
      assert.match(found.warnings, told)
    }
    assert.deepStrictEqual(await plain("cp932", latin("名前", "cp932")), { text: "名前", warnings: "" })
    const korean = await plain("ks_c_5601-1987", latin("서울특별시", "cp949"))
    assert.deepStrictEqual(korean, { text: "서울특별시", warnings: "" })
    const page = `<meta charset=windows-1251><p>${latin(russian, "windows-1251")}</p>`
    assert.deepStrictEqual(await body(`${head}Content-Type: text/html\r\n\r\n${page}`), { text: russian, warnings: "" })
  })

  it("are read of calendars, Markdown and enriched text, and it is said where there is none", async () => {
    const calendar = [
      "BEGIN:VCALENDAR",
      "BEGIN:VTIMEZONE",
      "DTSTART:19700101T000000",
      "END:VTIMEZONE",
      "BEGIN:VEVENT",
      "SUMMARY;LANGUAGE=en:Board\\, meet",
      " ing",
      'DTSTART;TZID="Europe/Berlin":20240102T100000',
      "DTEND:20240102T110000Z",
      'ORGANIZER;CN="Ann; Lee":mailto:ann@example.org',
      "DESCRIPTION:One\\nTwo",
      "BEGIN:VALARM",
      "DESCRIPTION:Reminder",
      "END:VALARM",
      "END:VEVENT",
      "END:VCALENDAR"
    ].join("\r\n")
    const invitation = await read(`${head}Content-Type: text/calendar; method=REQUEST\r\n\r\n${calendar}`, {
      mail_headers: false
    })
    assert.strictEqual(
      invitation.text,
      "Summary: Board, meeting\nStart: 2024-01-02T10:00:00 Europe/Berlin\nEnd: 2024-01-02T11:00:00Z\nOrganizer: Ann; Lee <ann@example.org>\nDescription: One\nTwo"
    )
    assert.deepInclude(invitation.attachments?.[0], { content_type: "text/calendar" })
    const beside = alternatives(
      part(["Content-Type: text/plain"], "Please come."),
      part(["Content-Type: text/calendar"], calendar)
    )
    assert.strictEqual((await body(beside)).text, "Please come.")
    assert.strictEqual((await body(`${head}Content-Type: text/markdown\r\n\r\n# Hi\r\n*you*`)).text, "# Hi\n*you*")
    const enriched = "<bold>Now</bold> is <color><param>red</param>the\r\ntime</color>\r\n\r\nfor <<all"
    const read1896 = await body(`${head}Content-Type: text/enriched\r\n\r\n${enriched}`)
    assert.strictEqual(read1896.text, "Now is the time\nfor <all")
    for (const [type, why] of [
      ["application/ms-tnef; name=winmail.dat", /winmail\.dat/],
      ["application/pkcs7-mime; name=smime.p7m", /S\/MIME/],
      ["application/pdf", /application\/pdf/],
      ["text/plain", /The mail has no text$/]
    ] as const) {
      const blank = await read(`${head}Content-Type: ${type}\r\n\r\n${type === "text/plain" ? "" : "xx"}`)
      assert.isTrue(blank.headers_only, type)
      assert.match(blank.warnings.join(), why)
    }
  })

  it("have flowed paragraphs on one line, quotes too", async () => {
    const flowed = async (parameters: string, ...lines: ReadonlyArray<string>) =>
      (await body(`${head}Content-Type: text/plain; format=flowed${parameters}\r\n\r\n${lines.join("\r\n")}`)).text
    assert.strictEqual(
      await flowed("", "One ", "two", "> quoted ", "> goes on", ">> deeper ", "> less", " >no quote", "-- ", "Ann"),
      "One two\n> quoted goes on\n>> deeper\n> less\n>no quote\n-- \nAnn"
    )
    assert.strictEqual(await flowed("; delsp=yes", "Wort ", "teil", "", "end"), "Wortteil\n\nend")
  })
})

describe("headers", () => {
  const titleOf = async (subject: string) =>
    (await read(`From: a@b\r\nSubject: ${subject}\r\n\r\nx`)).properties["title"]

  it("are joined where an encoded word ends within a character", async () => {
    const whole = Buffer.from("こんにちは")
    const [first, second] = [whole.subarray(0, 4), whole.subarray(4)].map((piece) => piece.toString("base64"))
    assert.strictEqual(await titleOf(`=?utf-8?B?${first}?= =?UTF-8?B?${second}?=`), "こんにちは")
    const letters = whole.toString("base64")
    assert.strictEqual(
      await titleOf(`=?utf-8?B?${letters.slice(0, 6)}?=\r\n =?utf-8?B?${letters.slice(6)}?=`),
      "こんにちは"
    )
    assert.strictEqual(await titleOf("=?utf-8?Q?Gr=C3?= =?utf-8*de?B?vMOfZQ==?= x"), "Grüße x")
    assert.strictEqual(await titleOf("a =?iso-8859-1?Q?=E9_?= b =?unknown?Q?Caf=C3=A9?= c"), "a é  b Café c")
    const korean = Iconv.encode("제목", "cp949").toString("base64")
    assert.strictEqual(await titleOf(`=?ks_c_5601-1987?B?${korean}?=`), "제목")
  })

  it("are decoded in addresses without taking their commas for more of them", async () => {
    const mail = await read(
      `From: =?utf-8?B?${Buffer.from("Müller, ").toString("base64")}?= =?utf-8?Q?J=C3=B6rg?= <j@example.org>, b@example.org\r\n\r\nx`
    )
    assert.strictEqual(mail.properties["from"], "Müller, Jörg <j@example.org>")
  })

  it("may have 8 bits of an encoding that nothing names, and are told then", async () => {
    const mail = await read("From: J\u00f6rg <j@example.org>\r\nSubject: Gr\u00f6\u00dfe\r\n\r\nx")
    assert.deepInclude(mail.properties, { from: "Jörg <j@example.org>", title: "Größe" })
    assert.match(mail.warnings.join(), /was guessed/)
  })

  it("have dates that no machine's zone changes, also in mails within", async () => {
    const inner = "From: c@example.org\r\nDate: 2 Jan 2024 03:04 EST\r\nSubject: inner\r\n\r\nhello"
    const outer = [
      "From: a@example.org",
      "Date: Tue, 02 Jan 2024 03:04:05",
      "Content-Type: multipart/mixed; boundary=M",
      "",
      "--M",
      "Content-Type: text/plain",
      "",
      "see below",
      "--M",
      "Content-Type: message/rfc822",
      "",
      inner,
      "--M--"
    ].join("\r\n")
    const mail = await read(outer, { mail_headers: false })
    assert.strictEqual(mail.properties["date"], "2024-01-02T03:04:05.000Z")
    assert.strictEqual(
      mail.text,
      `see below\n\n${"-".repeat(20)}\nFrom: c@example.org\nDate: 2024-01-02T08:04:00.000Z\nSubject: inner\n\nhello`
    )
    for (const [written, expected] of [
      ["Tue, 2 Jan 2024 10:00:00 +0100 (CET)", "2024-01-02T09:00:00.000Z"],
      ["02-Jan-24 10:00:00 GMT", "2024-01-02T10:00:00.000Z"],
      ["2024-01-02T10:00:00+02:00", "2024-01-02T08:00:00.000Z"],
      ["yesterday", "yesterday"]
    ] as const) {
      assert.strictEqual(mailDate(written), expected)
    }
  })
})

describe("e-mail", () => {
  it("has its headers above its plain text, and all of them as properties", async () => {
    const document = await read(multipart)
    assert.strictEqual(document.type, "email")
    assert.strictEqual(
      document.text,
      "From: Zoë <zoe@example.org>\nTo: Bob <bob@example.org>, carol@example.org\nDate: 2024-01-02T09:00:00.000Z\nSubject: Grüße\n\nIt’s plain, and more: Hi a b x"
    )
    assert.deepInclude(document.properties, {
      title: "Grüße",
      from: "Zoë <zoe@example.org>",
      to: ["Bob <bob@example.org>", "carol@example.org"],
      cc: [],
      date: "2024-01-02T09:00:00.000Z",
      message_id: "<1@example.org>",
      attachment_count: 1
    })
    assert.strictEqual((await read(multipart, { mail_headers: false })).text, "It’s plain, and more: Hi a b x")
  })

  it("lists attachments by their names without folders, and gives their bytes when asked", async () => {
    const expected = { filename: "report.pdf", content_type: "application/pdf", size_bytes: 8, inline: false }
    assert.deepStrictEqual((await read(multipart)).attachments, [expected])
    const [attachment] = (await read(multipart, { extract_attachments: true })).attachments ?? []
    assert.strictEqual(Buffer.from(attachment?.data ?? "", "base64").toString(), "%PDF-1.4")
  })

  it("has the structure of its HTML, and its text where there is no plain one", async () => {
    const document = await read(multipart, { extract_links: true })
    assert.deepStrictEqual(document.headings, [{ level: 1, text: "Hi" }])
    assert.deepStrictEqual(document.links, [{ url: "https://example.org", text: "x" }])
    assert.deepStrictEqual(document.tables?.[0]?.data, [["a", "b"]])
    const html = await read(`${head}Content-Type: text/html\r\n\r\n<p>Only</p><p>HTML</p>`, { mail_headers: false })
    assert.strictEqual(html.text, "Only\n\nHTML")
  })

  it("has headers in encodings of seven bits, in words and bare", async () => {
    const word = (inner: string) => `=?ISO-2022-JP?B?${Buffer.from(inner, "latin1").toString("base64")}?=`
    const words = `${word("\u001b$BF|\u001b(B")} ${word("\u001b$BK\\\u001b(B")}`
    for (const subject of [words, "\u001b$BF|K\\\u001b(B"]) {
      const { properties, warnings } = await read(`From: a@b.example\r\nSubject: ${subject}\r\n\r\nx`)
      assert.strictEqual(properties["title"], "日本")
      assert.deepStrictEqual(warnings, [])
    }
  })

  it("is the first one of a mail box", async () => {
    const box = `From a@b Mon Jan  1 10:00:00 2024\n${head}\nFirst\n\nFrom c@d Mon Jan  1 10:00:00 2024\n${head}\nSecond\n`
    const document = await read(box, { mail_headers: false })
    assert.strictEqual(document.text, "First")
    assert.match(document.warnings[0] ?? "", /mail box/)
  })

  it("is bounded in depth and length, and is nothing without a header", async () => {
    const refused = async (reading: Promise<unknown>): Promise<DocumentError> => {
      const error = await reading.then(
        () => assert.fail("was read"),
        (cause: unknown) => cause
      )
      assert.instanceOf(error, DocumentError)
      return error
    }
    const nested = Array.from(
      { length: 300 },
      (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`
    )
    assert.strictEqual((await refused(read(head + nested.join("")))).reason, "LimitExceeded")
    assert.strictEqual(
      (await refused(read(`${head}\r\n${"x".repeat(100)}`, {}, { textLength: 50 }))).limit,
      "textLength"
    )
    assert.strictEqual((await refused(read(""))).reason, "Damaged")
  })
})
