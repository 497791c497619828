import { assert, describe, it } from "@effect/vitest"
import * as SecretShape from "../../src/domain/SecretShape.ts"

const base64 = "bm90IGEgcmVhbCBrZXksIGJ1dCBhcyBsb25nIGFzIG9uZTogMDEyMzQ1Njc4OSBhYmNkZWZnaGlqa2w="

/** What gets into the wrong setting, and what of it nobody may see. */
const secrets: ReadonlyArray<readonly [text: string, secret: string]> = [
  [base64, base64],
  [base64.replace(/=+$/, ""), "bm90"],
  [`AccountEndpoint=https://acct.documents.azure.com:443/;AccountKey=${base64};`, base64],
  [`DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${base64}`, base64],
  ["BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sv=2024-11-04&sig=abc%3D", "abc%3D"],
  ["Endpoint=https://store.azconfig.io;Id=ab-cd;Secret=hush", "hush"],
  ["?sv=2024-11-04&sp=rwdl&sig=abcdef", "abcdef"],
  ["https://acct.queue.core.windows.net/?sv=2024&sig=abcdef", "abcdef"],
  ["https://admin:hunter2@acct.documents.azure.com/", "hunter2"],
  ["redis://:hunter2@cache:6380", "hunter2"],
  ["admin:hunter2", "hunter2"],
  ["admin:hunter2@host", "hunter2"],
  ["API_KEY=hunter2", "hunter2"],
  ["API_KEY: hunter2", "hunter2"],
  ["API_KEY hunter2", "hunter2"],
  ["export TOKEN=hush", "hush"],
  ["Bearer abcdefgh", "abcdefgh"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "eyJzdWIiOiJ4In0"],
  ["0f3c5b7a9d1e2f4a6b8c0d1e2f3a4b5c", "0f3c5b7a9d1e"],
  ["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "4f89"],
  ["abc8Q~kD5xZ-qL2mN7pR4sT9vW1yB3cF6gH8jK0l", "kD5xZ"],
  ["AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"],
  ["sk-proj-a8F3kd92LmQ0", "a8F3kd92"],
  ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"],
  ["P@ssw0rd!", "ssw0rd"],
  ["Pa55word2go", "55word"],
  ["p$ssword", "ssword"],
  ["qWxRtZpLkJhGfDsAyXcVbNm", "qWxRtZ"],
  ["-----BEGIN PRIVATE KEY-----", "PRIVATE"]
]

const harmless = [
  "many",
  "-1",
  "1.5",
  "1e3",
  "10 minutes",
  "10m",
  "NaN",
  "99999999999999999999",
  "DBEUG",
  "acc.queue.core.windows.net",
  "https://acc.blob.core.windows.net",
  "http://localhost:8081",
  "http://127.0.0.1:10001/devstoreaccount1",
  "Upper_Case",
  "contentflow-execution-requests",
  "stcontentflowprod01",
  "/var/log/worker.log",
  "contentflow.worker.*",
  "A,B C"
]

const notSecretForSure = [
  ...harmless,
  "contentflow-worker-7d9f8b6c5d-x2x4z",
  "ContentflowProduction2026_WestEurope_Primary",
  "/Volumes/Data1/ContentflowWorkerLogsOfAllProcesses/worker.log",
  "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
]

describe("SecretShape", () => {
  for (const [text, secret] of secrets) {
    it(`does not show ${text.slice(0, 40)}`, () => {
      assert.isFalse(SecretShape.isHarmless(text))
      assert.notInclude(SecretShape.shown(text), secret)
      assert.include(SecretShape.shown(text), `${text.length} characters`)
    })
  }

  for (const text of harmless) {
    it(`shows ${text}`, () => assert.strictEqual(SecretShape.shown(text), JSON.stringify(text)))
  }

  for (const text of notSecretForSure) {
    it(`does not refuse ${text}`, () => assert.isFalse(SecretShape.isSecret(text)))
  }

  it("says what a text looks like", () => {
    assert.include(SecretShape.describe("A=1;B=2"), "a connection string")
    assert.include(SecretShape.describe("https://a:b@c/"), "an address with a user or a password")
    assert.include(SecretShape.describe("https://a/?sig=b"), "an address with a signature")
    assert.include(SecretShape.describe("API_KEY=b"), "an assignment")
    assert.include(SecretShape.describe(base64), "a key")
  })
})
