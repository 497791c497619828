import { assert, describe, it } from "@effect/vitest"
import * as CosmosErrors from "../../src/azure/CosmosErrors.ts"

const operation = "patch vault_executions/exec_1"

/** As the SDK's ErrorResponse: an Error with numbers on it. */
const answer = (code: number, more: Readonly<Record<string, unknown>> = {}) =>
  Object.assign(new Error("the service's words"), { code, ...more })

const named = (name: string, message: string, more: Readonly<Record<string, unknown>> = {}) =>
  Object.assign(new Error(message), { name, ...more })

const reason = (cause: unknown) => {
  const error = CosmosErrors.fromCosmos(operation, cause)
  return error._tag === "Invalid" ? error.reason : error._tag
}

const wait = (cause: unknown) => {
  const error = CosmosErrors.fromCosmos(operation, cause)
  return error._tag === "Throttled" ? error.retryAfterMillis : error._tag
}

describe("CosmosErrors", () => {
  const cases: ReadonlyArray<readonly [tag: string, cause: unknown]> = [
    ["Unauthorized", answer(401)],
    ["Unauthorized", answer(403)],
    ["Unavailable", answer(403, { substatus: 3 })],
    ["Unavailable", answer(403, { substatus: 1008 })],
    ["NotFound", answer(404)],
    ["NotFound", answer(404, { substatus: 1003 })],
    ["Unavailable", answer(404, { substatus: 1002 })],
    ["Conflict", answer(409)],
    ["PreconditionFailed", answer(412)],
    ["Throttled", answer(429)],
    ["Throttled", answer(503, { retryAfterInMs: 20 })],
    ["Unavailable", answer(503)],
    ["Unavailable", answer(500)],
    ["Unavailable", answer(408)],
    ["Unavailable", answer(410)],
    ["Unavailable", answer(449)],
    ["Unavailable", named("RestError", "connect ECONNREFUSED 10.0.0.1:443", { code: "ECONNREFUSED" })],
    ["Unavailable", named("RestError", "socket hang up", { code: "REQUEST_SEND_ERROR" })],
    ["Unavailable", named("TimeoutError", "Timeout Error!", { code: "TimeoutError" })],
    ["Unavailable", named("AbortError", "The operation was aborted.")],
    ["Unavailable", named("SyntaxError", "Unexpected token < in JSON")],
    ["Unauthorized", named("NotCapable", "Requires net access")],
    ["Unauthorized", named("CredentialUnavailableError", "no CLI")],
    ["Unauthorized", named("AggregateAuthenticationError", "none worked")],
    ["Unauthorized", named("AuthenticationError", "AADSTS700016", { statusCode: 400 })],
    ["Unavailable", named("AuthenticationError", "busy", { statusCode: 503 })],
    ["Unavailable", { message: "a plain object" }],
    ["Unavailable", undefined],
    ["Unavailable", "text"]
  ]
  for (const [tag, cause] of cases) {
    const facts = cause instanceof Error ? `${cause.name} ${JSON.stringify(cause)}` : JSON.stringify(cause)
    it(`${facts} is ${tag}`, () => {
      const error = CosmosErrors.fromCosmos(operation, cause)
      assert.strictEqual(error._tag, tag)
      assert.strictEqual(error.operation, operation)
      assert.include(error.message, operation)
    })
  }

  it("tells documents that are too large from other bad requests", () => {
    assert.strictEqual(reason(answer(413)), "TooLarge")
    assert.strictEqual(reason(answer(400)), "BadRequest")
    assert.strictEqual(reason(answer(422)), "BadRequest")
    assert.strictEqual(reason(named("TypeError", "Converting circular structure to JSON")), "BadRequest")
  })

  it("keeps the wait that the service asks for", () => {
    assert.strictEqual(wait(answer(429, { retryAfterInMs: 1234 })), 1234)
    assert.strictEqual(wait(answer(429, { retryAfterInMs: Number.NaN })), null)
    assert.strictEqual(wait(answer(429)), null)
  })

  it("repeats the service's first line without addresses, secrets and ids of the call", () => {
    const secret = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
    const { message } = CosmosErrors.fromCosmos(
      operation,
      Object.assign(
        new Error(
          `Principal p-1 does not have the action write at https://a.documents.azure.com/dbs?sig=abc with ${secret}\nServer used 'get\ndbs\n'`
        ),
        { code: 403 }
      )
    )
    assert.include(message, "Principal p-1 does not have the action write at (address)")
    for (const leak of ["documents.azure.com", "sig=", secret.slice(0, 20), "Server used"]) {
      assert.notInclude(message, leak)
    }
    assert.notInclude(
      CosmosErrors.fromCosmos(operation, answer(400, { message: "Bad thing, ActivityId: 1-2-3, SDK 1" })).message,
      "ActivityId"
    )
    assert.isBelow(
      CosmosErrors.fromCosmos(operation, answer(400, { message: "a b ".repeat(9999) })).message.length,
      500
    )
  })

  it("knows a missing document from a missing container and from a slow replica", () => {
    assert.isTrue(CosmosErrors.isMissingDocument({ code: 404 }))
    assert.isTrue(CosmosErrors.isMissingDocument({ code: 404, substatus: 0 }))
    assert.isFalse(CosmosErrors.isMissingDocument({ code: 404, substatus: 1003 }))
    assert.isFalse(CosmosErrors.isMissingDocument({ code: 404, substatus: 1002 }))
    assert.isFalse(CosmosErrors.isMissingDocument({ code: 412 }))
  })
})
