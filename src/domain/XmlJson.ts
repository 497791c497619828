import * as ExactJson from "./ExactJson.ts"

/** JSON that XML can carry, and no longer than it must be: only what is no character of XML is escaped, where JSON does not do so itself. */
export const stringify = (value: unknown): string =>
  ExactJson.stringify(value).replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
