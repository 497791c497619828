import * as Effect from "effect/Effect"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as FileErrors from "./FileErrors.ts"

/** The name of the service in errors of the folder's files. */
export const service = "The folder"

/** A call of the file system, about this path where the error names none. */
export const attempt = <A>(
  operation: string,
  path: string,
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, ServiceError> =>
  Effect.tryPromise({
    try: run,
    catch: (thrown) => FileErrors.describe(service, operation, pathOf(thrown) ?? path, thrown)
  })

/** What the file system refused within a transaction, as a value: the transaction itself is in order. */
export class FileFault {
  readonly path: string
  readonly thrown: unknown
  constructor(path: string, thrown: unknown) {
    this.path = path
    this.thrown = thrown
  }
  describe(operation: string): ServiceError {
    return FileErrors.describe(service, operation, this.path, this.thrown)
  }
}

/** A call of the file system within a transaction. */
export const orFault = <A>(path: string, run: () => A): A | FileFault => {
  try {
    return run()
  } catch (thrown) {
    if (FileErrors.isSystemError(thrown)) return new FileFault(path, thrown)
    throw thrown
  }
}

const pathOf = (thrown: unknown): string | undefined =>
  typeof thrown === "object" && thrown !== null && "path" in thrown && typeof thrown.path === "string"
    ? thrown.path
    : undefined
