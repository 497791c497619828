import { strip } from "../../../python/PythonStrings.ts"

/** The text of the first line that starts with `# `, as Markdown marks a title. */
export const heading = (text: string): string | undefined => {
  const found = /(?:^|\n)# ([^\n]*\S[^\n]*)/.exec(text)?.[1]
  return found === undefined ? undefined : strip(found)
}

/** A file's name up to its first dot. */
export const ofFile = (name: string | null | undefined): string => (name ?? "").split(".")[0] ?? ""
