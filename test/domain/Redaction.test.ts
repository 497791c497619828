import { assert, describe, it } from "@effect/vitest"
import { redact, remember } from "../../src/domain/Redaction.ts"

const secret = "c2VjcmV0LXNpZ25hdHVyZQ=="

describe("redact", () => {
  for (const text of [
    `https://a.blob.core.windows.net/c/b?sv=2024-01-01&sr=b&sig=${encodeURIComponent(secret)}&se=2027`,
    `GET /c/b?sig=${secret} failed`,
    `https://a.example/?next=https%3A%2F%2Fb.example%2F%3Fsig%3D${encodeURIComponent(secret)}`,
    `<a href="https://a.example/x?a=1&amp;sig=${secret}">`,
    `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${secret};EndpointSuffix=core.windows.net`,
    `BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=2024&sig=${secret}`,
    `Endpoint=https://a.azconfig.io;Id=x;Secret=${secret}`,
    `Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey=${secret}`,
    `Server=tcp:a.database.windows.net;User ID=me;Password=${secret};`,
    `https://user:${secret.replaceAll("=", "")}@example.org/x`,
    `Authorization: Bearer ${secret}`,
    `authorization: SharedKey account:${secret}`,
    `https://a.azurewebsites.net/api/run?code=${secret}`,
    `https://api.example.org/v1?q=1&api-key=${secret}`,
    "token eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXNpZ25hdHVyZQ.abc_def-ghi"
  ]) {
    it(`hides the secret of ${text.slice(0, 60)}`, () => {
      const safe = redact(text)
      assert.notInclude(safe, "c2VjcmV0")
      assert.include(safe, "<redacted>")
      // A text in a JSON text stays one.
      assert.deepStrictEqual(JSON.parse(redact(JSON.stringify({ text }))), { text: safe })
    })
  }

  it("leaves the rest of a text as it is", () => {
    const plain =
      "chunk (recursive_text_chunker) failed on https://a.blob.core.windows.net/docs/report%20a=b.pdf: status 403, request 7f-1"
    assert.strictEqual(redact(plain), plain)
    assert.strictEqual(redact(`before ?sig=${secret}&se=2027 after`), "before ?sig=<redacted>&se=2027 after")
  })

  it("hides what the process was given, in every spelling, and of a connection string the key alone", () => {
    const key = "tOp+S3cret/Value=="
    remember(`DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${key};EndpointSuffix=core.windows.net`)
    for (const text of [`key ${key} is wrong`, `key ${encodeURIComponent(key)} is wrong`]) {
      assert.strictEqual(redact(text), "key <redacted> is wrong")
    }
    // What is that short stands in innocent texts, too.
    remember("short")
    assert.strictEqual(redact("a short text"), "a short text")
  })

  it("hides a secret whole whose beginning is known as another", () => {
    remember("hunter22")
    remember("hunter22-and-more")
    assert.strictEqual(redact("key hunter22-and-more is wrong"), "key <redacted> is wrong")
    for (const [text, safe] of [
      ["GET /c?sig=hunter22unknown&se=2027", "GET /c?sig=<redacted>&se=2027"],
      ["GET /c?a=1&code=unknown-hunter22-", "GET /c?a=1&code=<redacted>"],
      ["AccountKey=hunter22+unknown==;", "AccountKey=<redacted>;"],
      ["https://me:my.hunter22.unknown@host/x", "https://<redacted>@host/x"],
      ["Bearer hunter22.abc", "Bearer <redacted>"]
    ] as const) {
      assert.strictEqual(redact(text), safe)
    }
  })

  it("remembers as much as it can, the last first", () => {
    for (let number = 0; number < 2_000; number++) remember(`secret-number-${number}!`)
    assert.strictEqual(redact("it is secret-number-1999!"), "it is <redacted>")
  })

  it("takes hostile texts in linear time", () => {
    for (const part of [
      "://a:",
      "sig=",
      "?sig%3D",
      "Bearer ",
      "eyJ",
      "eyJaaaaaaaa.",
      "AccountKey = ",
      "a.b-c+",
      "=:@%"
    ]) {
      const text = part.repeat(30_000)
      assert.isString(redact(text))
    }
  })
})
