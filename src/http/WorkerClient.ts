import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import { WorkerApi } from "./WorkerApi.ts"

/**
 * A client of the worker at this address, which needs an HttpClient (`@effect/platform/FetchHttpClient`). Each method answers with what the interface says; a 503 of
 * `live` and `ready` is a failure that names what is wrong. `token` is the bearer that operations ask for.
 */
export const make = (baseUrl: string, { token }: { readonly token?: Redacted.Redacted } = {}) =>
  HttpApiClient.make(WorkerApi, {
    baseUrl,
    transformClient: (client) =>
      token === undefined ? client : HttpClient.mapRequest(client, HttpClientRequest.bearerToken(token))
  })
