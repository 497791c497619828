import { assert, describe, it } from "@effect/vitest"
import { RestError } from "@azure/storage-queue"
import * as StorageErrors from "../../src/azure/StorageErrors.ts"

const called = { service: "Storage Queue", operation: "receive from tasks", host: "account.example" } as const
const now = Date.UTC(2026, 0, 2, 10, 0, 0)

const rest = (statusCode: number, headers: Record<string, string> = {}, code?: string) => {
  const error = new RestError("See https://account.example/tasks?sig=SECRET", {
    statusCode,
    ...(code === undefined ? {} : { code })
  })
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  Object.defineProperty(error, "response", { value: { headers: { get: (name: string) => lower.get(name) } } })
  return error
}
const named = (name: string, message: string, facts: object = {}) => Object.assign(new Error(message), { name }, facts)

const map = (cause: unknown) => StorageErrors.fromUnknown(cause, called, now)

/** The wait of a Throttled error, else what it is. */
const wait = (statusCode: number, headers: Record<string, string>) => {
  const { error } = map(rest(statusCode, headers))
  return error._tag === "Throttled" ? error.retryAfterMillis : error._tag
}

describe("StorageErrors", () => {
  it("sorts answers by their status", () => {
    const tags = [
      [304, "PreconditionFailed"],
      [400, "Invalid"],
      [401, "Unauthorized"],
      [403, "Unauthorized"],
      [404, "NotFound"],
      [405, "Invalid"],
      [408, "Unavailable"],
      [409, "Conflict"],
      [410, "NotFound"],
      [412, "PreconditionFailed"],
      [413, "Invalid"],
      [416, "Invalid"],
      [429, "Throttled"],
      [500, "Unavailable"],
      [502, "Unavailable"],
      [503, "Unavailable"],
      [504, "Unavailable"]
    ] as const
    for (const [statusCode, tag] of tags) {
      const { error } = map(rest(statusCode))
      assert.strictEqual(error._tag, tag, String(statusCode))
      assert.strictEqual(error.service, "Storage Queue")
      assert.strictEqual(error.operation, "receive from tasks")
      assert.include(error.message, `(${statusCode})`)
    }
    const tooLarge = map(rest(413)).error
    assert.strictEqual(tooLarge._tag === "Invalid" ? tooLarge.reason : "", "TooLarge")
    const bad = map(rest(400)).error
    assert.strictEqual(bad._tag === "Invalid" ? bad.reason : "", "BadRequest")
  })

  it("what is being deleted can be created a little later", () => {
    assert.strictEqual(map(rest(409, {}, "QueueBeingDeleted")).error._tag, "Unavailable")
    assert.strictEqual(map(rest(409, {}, "ContainerBeingDeleted")).error._tag, "Unavailable")
    assert.strictEqual(map(rest(409, {}, "QueueAlreadyExists")).error._tag, "Conflict")
    assert.strictEqual(map(rest(409, {}, "PendingCopyOperation")).error._tag, "Unavailable")
    for (const [status, code, told] of [
      [409, "BlobAlreadyExists", /exists already/],
      [409, "BlobArchived", /archive tier/],
      [409, "BlobBeingRehydrated", /rehydrated/],
      [409, "BlobImmutableDueToPolicy", /policy/],
      [409, "InvalidBlobType", /another type/],
      [412, "LeaseIdMissing", /lease/],
      [409, "SomethingNew", /its state does not allow it/]
    ] as const) {
      const { error } = map(rest(status, {}, code))
      assert.strictEqual(error._tag, "Conflict", code)
      assert.match(error.message, told)
      assert.strictEqual("code" in error ? error.code : null, code)
    }
  })

  it("reads how long to wait: milliseconds, seconds, or a date by the service's clock", () => {
    assert.strictEqual(wait(429, {}), null)
    assert.strictEqual(wait(429, { "Retry-After": "7" }), 7000)
    assert.strictEqual(wait(429, { "Retry-After": "0" }), 0)
    assert.strictEqual(wait(429, { "Retry-After": " 1.5 " }), 1500)
    assert.strictEqual(wait(429, { "x-ms-retry-after-ms": "250", "Retry-After": "7" }), 250)
    assert.strictEqual(wait(429, { "retry-after-ms": "40" }), 40)
    assert.strictEqual(wait(503, { "Retry-After": "30" }), 30_000)
    assert.strictEqual(wait(503, {}), "Unavailable")
    assert.strictEqual(wait(429, { "Retry-After": "Fri, 02 Jan 2026 10:00:20 GMT" }), 20_000)
    const late = { "Retry-After": "Fri, 02 Jan 2026 10:00:20 GMT", Date: "Fri, 02 Jan 2026 10:00:15 GMT" }
    assert.strictEqual(wait(429, late), 5000)
    assert.strictEqual(wait(429, { "Retry-After": "Fri, 02 Jan 2026 09:00:00 GMT" }), 0)
    for (const nonsense of ["soon", "-5", "1e9", "NaN", "", "99999999999999"]) {
      assert.strictEqual(wait(429, { "Retry-After": nonsense }), null, nonsense)
    }
    assert.strictEqual(wait(503, { "Retry-After": "soon" }), "Unavailable")
  })

  it("takes the service's code from the header, the details or the error", () => {
    assert.strictEqual(map(rest(404, { "x-ms-error-code": "BlobNotFound" })).code, "BlobNotFound")
    assert.strictEqual(map(rest(404, {}, "MessageNotFound")).code, "MessageNotFound")
    assert.strictEqual(map(Object.assign(rest(404), { details: { errorCode: "QueueNotFound" } })).code, "QueueNotFound")
    assert.strictEqual(map(rest(404)).code, null)
    assert.strictEqual(map(new RestError("x", { code: "ECONNRESET" })).code, null)
  })

  it("what never got an answer may work later", () => {
    for (const code of [
      "ECONNRESET",
      "ECONNREFUSED",
      "ENOTFOUND",
      "EAI_AGAIN",
      "EPIPE",
      "ETIMEDOUT",
      "CERT_HAS_EXPIRED"
    ]) {
      const { error } = map(new RestError(`${code} https://account.example/?sig=SECRET`, { code }))
      assert.strictEqual(error._tag, "Unavailable")
      assert.include(error.message, code)
    }
    assert.strictEqual(map(new RestError("x", { code: "PARSE_ERROR", statusCode: 200 })).error._tag, "Unavailable")
    assert.strictEqual(map(named("AbortError", "aborted")).error._tag, "Unavailable")
  })

  it("a request that can't be written never will be", () => {
    assert.strictEqual(map(named("TypeError", "bad", { code: "ERR_INVALID_CHAR" })).error._tag, "Invalid")
    assert.strictEqual(map(named("TypeError", "bad", { code: "ERR_INVALID_URL" })).error._tag, "Invalid")
  })

  it("no credential, or a refused one, is for people to mend; an identity service in trouble mends itself", () => {
    const aggregate = named(
      "AggregateAuthenticationError",
      "ChainedTokenCredential authentication failed. AADSTS7000215: Invalid client secret 'SECRET' provided."
    )
    const { error } = map(aggregate)
    assert.strictEqual(error._tag, "Unauthorized")
    assert.include(error.message, "AADSTS7000215")
    assert.include(error.message, "az login")
    assert.strictEqual(map(named("CredentialUnavailableError", "none")).error._tag, "Unauthorized")
    assert.strictEqual(map(named("AuthenticationError", "no", { statusCode: 400 })).error._tag, "Unauthorized")
    assert.strictEqual(map(named("AuthenticationError", "no", { statusCode: 503 })).error._tag, "Unavailable")
    assert.strictEqual(map(named("AuthenticationError", "no", { statusCode: 429 })).error._tag, "Unavailable")
  })

  it("Deno's refusal names the flag", () => {
    const { error } = map(named("NotCapable", 'Requires net access to "account.example:443"'))
    assert.strictEqual(error._tag, "Unauthorized")
    assert.include(error.message, "--allow-net=account.example")
  })

  it("survives whatever is thrown, and repeats none of it", () => {
    const hostile = [
      undefined,
      null,
      "SECRET",
      42,
      {},
      { statusCode: "404" },
      { statusCode: 500, response: { headers: { get: "SECRET" } } },
      { statusCode: 500, response: { headers: { get: () => ({ SECRET: 1 }) } } },
      rest(403, { "x-ms-error-code": "bad code?sig=SECRET", "x-ms-request-id": "sig=SECRET&x" }),
      new RestError("SECRET", { code: "ERR SECRET" }),
      new Error("https://x/?sig=SECRET")
    ]
    for (const cause of hostile) {
      const { error } = map(cause)
      assert.notInclude(JSON.stringify(error) + error.message + String(error), "SECRET")
      assert.include(error.message, "receive from tasks")
      assert.include(error.message, "account.example")
    }
  })
})
