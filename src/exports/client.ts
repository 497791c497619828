/** `contentflow-worker/client`: a typed client of a running worker's HTTP interface, for programs and tests beside it. */

/** The interface as a value. */
export * as WorkerApi from "../http/WorkerApi.ts"
/** `WorkerClient.make("http://localhost:8099")`. */
export * as WorkerClient from "../http/WorkerClient.ts"
