import * as ExactJson from "./ExactJson.ts"

/** JSON in ASCII only: XML, which carries queue messages, can't hold every character that JSON leaves as it is. */
export const stringify = (value: unknown): string =>
  ExactJson.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
