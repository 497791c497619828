import type * as Problem from "../../pipeline/Problem.ts"

/** `file:line:column: error: message (path)`, as editors and CI systems read it; without a place only the file. */
export const print = (file: string, { column, line, message, path, severity }: Problem.Problem): string =>
  plain(
    `${[file === "-" ? "(standard input)" : file, ...(line === null ? [] : [line, column ?? 1])].join(":")}: ` +
      `${severity}: ${message}${path === "" ? "" : ` (${path})`}`
  )

/** What GitHub Actions show beside the line of a file. */
export const annotation = (file: string, { column, line, message, path, severity }: Problem.Problem): string => {
  const place = [`file=${property(file)}`, ...(line === null ? [] : [`line=${line}`, `col=${column ?? 1}`])].join(",")
  return plain(`::${severity} ${place}::${data(`${message}${path === "" ? "" : ` (${path})`}`)}`)
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C")

/** One line that no terminal takes for a command: messages quote what stands in files. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
