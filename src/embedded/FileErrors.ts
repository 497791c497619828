import { Invalid, NotFound, type ServiceError, Unauthorized, Unavailable } from "../domain/ServiceError.ts"

/** What a call of the file system threw. */
export interface SystemError extends Error {
  readonly code: string
}

export const isSystemError = (thrown: unknown): thrown is SystemError =>
  thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"

/** What a call of the file system ended in, in words: the place, what is wrong with it, and the way out. */
export const describe = (service: string, operation: string, path: string, thrown: unknown): ServiceError => {
  const failed = `${service} could not ${operation}: `
  const facts = (what: string) => ({ service, operation, message: `${failed}${what}` })
  switch (isSystemError(thrown) ? thrown.code : "") {
    case "ENOENT":
      return new NotFound(facts(`${path} does not exist.`))
    case "EACCES":
    case "EPERM":
      return new Unauthorized(
        facts(`${path} may not be opened or written by this user. Change its owner or its permissions.`)
      )
    case "EROFS":
      return new Unauthorized(facts(`${path} is on a file system that is mounted read-only.`))
    case "ENOSPC":
      return new Unavailable(facts(`there is no space left on the disk of ${path}.`))
    case "EDQUOT":
      return new Unavailable(facts(`the disk quota of this user is used up at ${path}.`))
    case "EMFILE":
    case "ENFILE":
      return new Unavailable(facts("too many files are open."))
    case "ENAMETOOLONG":
      return new Invalid({ ...facts(`the path ${path} is longer than the file system allows.`), reason: "BadRequest" })
    case "ENOTDIR":
    case "EEXIST":
      return new Unavailable(facts(`a file is in the way of the folder ${path}. Move it away.`))
    default:
      return new Unavailable(facts(thrown instanceof Error ? thrown.message : String(thrown)))
  }
}
