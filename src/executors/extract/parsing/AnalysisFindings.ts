import * as CutText from "../../../text/CutText.ts"
import * as Findings from "./Findings.ts"

/** What a service says that it could not read. */
export interface ServiceWarning {
  readonly message?: string | null | undefined
}

/**
 * The warnings of an analysis, in the words of the service and ours, and why its text is blank, if it is. `others` may have words beside
 * the text; undefined for an analysis that needs none.
 */
export const of = (
  text: string | undefined,
  others: ReadonlyArray<unknown>,
  told: ReadonlyArray<ServiceWarning>
): { readonly lack: Findings.Blank | undefined; readonly warnings: ReadonlyArray<string> } => {
  const lack = Findings.blankText(text, others)
  const messages = told
    .slice(0, mostTold)
    .map(({ message }) => (message ?? "").trim().replace(/\.$/, ""))
    .filter((message) => message !== "")
    .map((message) => CutText.shortened(message, longest))
  return { lack, warnings: [...messages, ...(lack === undefined ? [] : [lack.warning])] }
}

const mostTold = 100
const longest = 300
