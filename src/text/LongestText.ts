import { constants } from "node:buffer"

/** How many characters (UTF-16 units) the engine can hold in one text. */
export const length: number = constants.MAX_STRING_LENGTH

/** Whether what was thrown says that a text would have been longer; V8 and Deno have words of their own for it. */
export const isExceeded = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  (("code" in thrown && thrown.code === "ERR_STRING_TOO_LONG") ||
    /Invalid string length|buffer exceeds maximum length/.test(thrown.message))

/** For messages: what a text that is too long is longer than. */
export const bound = `the ${length} characters that one text can have`
