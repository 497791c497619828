import * as HttpApiClient from "@effect/platform/HttpApiClient"
import { WorkerApi } from "./WorkerApi.ts"

/**
 * A client of the worker at this address, which needs an HttpClient (`@effect/platform/FetchHttpClient`). Each method answers with what the interface says; a 503 of
 * `live` and `ready` is a failure that names what is wrong.
 */
export const make = (baseUrl: string) => HttpApiClient.make(WorkerApi, { baseUrl })
