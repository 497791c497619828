import { hostname, userInfo } from "node:os"

/** Who sits at this command line, for the record of what was done. */
export const name = (): string => `${userName()}@${hostname()}`

/** A container's user may have no name. */
const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return "command line"
  }
}
