import { strip } from "../../../python/PythonStrings.ts"

/** The text of the first line that starts with `# ` once white space around it is gone. */
export const heading = (text: string): string | undefined => {
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf("\n", start)
    const line = strip(text.slice(start, end === -1 ? text.length : end))
    if (line.startsWith("# ")) return strip(line.slice(2))
    if (end === -1) return undefined
    start = end + 1
  }
  return undefined
}

/** A file's name up to its first dot. */
export const ofFile = (name: string | null | undefined): string => (name ?? "").split(".")[0] ?? ""
