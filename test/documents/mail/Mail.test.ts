import { assert, describe, it } from "@effect/vitest"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { readText } from "../../../src/documents/text/Text.ts"
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
  "It=92s plain",
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

describe("e-mail", () => {
  it("has its headers above its plain text, and all of them as properties", async () => {
    const document = await read(multipart)
    assert.strictEqual(document.type, "email")
    assert.strictEqual(
      document.text,
      "From: Zoë <zoe@example.org>\nTo: Bob <bob@example.org>, carol@example.org\nDate: 2024-01-02T09:00:00.000Z\nSubject: Grüße\n\nIt’s plain"
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
    assert.strictEqual((await read(multipart, { mail_headers: false })).text, "It’s plain")
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
