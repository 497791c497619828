import type { Answer } from "../../src/testing/FaultProxy.ts"

/** The bad answers of the services, as each of them writes its own. */

export type Service = "queue" | "blob" | "cosmos"

/** https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
const storage = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": "injected", ...headers },
  body: Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>Injected by a test. RequestId:injected</Message></Error>`
  )
})

/** https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb */
const cosmos = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", "x-ms-activity-id": "injected", ...headers },
  body: Buffer.from(JSON.stringify({ code, message: "Injected by a test" }))
})

/** By status. */
export const answers: Readonly<Record<Service, ReadonlyMap<number, Answer>>> = {
  queue: new Map([
    [408, storage(408, "RequestTimeout")],
    [429, storage(429, "TooManyRequests", { "retry-after": "1" })],
    [500, storage(500, "OperationTimedOut")],
    [503, storage(503, "ServerBusy", { "retry-after": "1" })]
  ]),
  blob: new Map([
    [408, storage(408, "RequestTimeout")],
    [429, storage(429, "TooManyRequests", { "retry-after": "1" })],
    [500, storage(500, "InternalError")],
    [503, storage(503, "ServerBusy", { "retry-after": "1" })]
  ]),
  cosmos: new Map([
    [408, cosmos(408, "RequestTimeout")],
    [412, cosmos(412, "PreconditionFailed")],
    [429, cosmos(429, "TooManyRequests", { "x-ms-retry-after-ms": "300", "x-ms-substatus": "3200" })],
    [449, cosmos(449, "RetryWith", { "x-ms-retry-after-ms": "10" })],
    [500, cosmos(500, "InternalServerError")],
    [503, cosmos(503, "ServiceUnavailable")]
  ])
}

/** What each says to an identity that lost its role, or to an address outside its network. */
export const forbidden: Readonly<Record<Service, Answer>> = {
  queue: storage(403, "AuthorizationFailure"),
  blob: storage(403, "AuthorizationFailure"),
  cosmos: cosmos(403, "Forbidden")
}
