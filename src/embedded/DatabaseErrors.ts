import { type ServiceError, Unauthorized, Unavailable } from "../domain/ServiceError.ts"
import * as Driver from "./Driver.ts"

/** https://www.sqlite.org/rescode.html */
export const BUSY = 5

/** What a call of SQLite ended in, in words: the file, what is wrong with it, and the way out. */
export const describe = (service: string, operation: string, file: string, thrown: unknown): ServiceError => {
  const failed = `${service} could not ${operation}: `
  const unavailable = (what: string) => new Unavailable({ service, operation, message: `${failed}${what}` })
  switch (Driver.codeOf(thrown)) {
    case BUSY:
    case 6:
      return unavailable(
        `another program keeps ${file} locked. Close what has it open for writing, such as a sqlite3 shell within a transaction.`
      )
    case 3:
    case 8:
    case 14:
    case 23:
      return new Unauthorized({
        service,
        operation,
        message: `${failed}${file} can't be opened or may not be written. The folder must exist, and this user must be allowed to write into it.`
      })
    case 10:
      return unavailable(`the disk of ${file} reports an error.`)
    case 13:
      return unavailable(`there is no space left on the disk of ${file}.`)
    case 11:
    case 26:
      return unavailable(
        `${file} is damaged or no SQLite database. Put a copy in its place, or move it away to begin anew.`
      )
    default:
      return unavailable(thrown instanceof Error ? thrown.message : String(thrown))
  }
}
