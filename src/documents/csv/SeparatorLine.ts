/** A delimited text without the line that names its delimiter for Excel. */
export interface Separated {
  readonly text: string
  /** Undefined where the text begins with no such line. */
  readonly delimiter: string | undefined
}

/** Takes the `sep=;` line off that spreadsheets write and read before the first row. */
export const withoutSeparatorLine = (text: string): Separated => {
  const found = separatorLine.exec(text.slice(0, 20))
  const delimiter = found?.[1] ?? found?.[2]
  return found === null || delimiter === undefined
    ? { text, delimiter: undefined }
    : { text: text.slice(found[0].length), delimiter }
}

const separatorLine = /^\ufeff?(?:sep=([^\r\n"])|"sep=([^\r\n"])")[ \t,;]*(?:\r\n?|\n|$)/iu
