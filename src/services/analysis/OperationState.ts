import type { OperationState } from "../ServiceClients.ts"

/** Reads the state of an operation of Document Intelligence or Content Understanding, whose words differ in their capitals only. */
export const stateOf = (json: unknown): OperationState => {
  const status = textAt(json, "status").toLowerCase()
  if (status === "succeeded") return { _tag: "Succeeded" }
  if (status === "failed" || status === "canceled" || status === "cancelled" || status === "skipped") {
    return { _tag: "Failed", message: reasonOf(json) || `the operation is ${status}.` }
  }
  if (status !== "") return { _tag: "Running" }
  const reason = reasonOf(json)
  return reason === "" ? { _tag: "Unreadable" } : { _tag: "Failed", message: reason }
}

/** The innermost error says most. */
const reasonOf = (json: unknown): string => {
  let error = valueAt(json, "error")
  let words = ""
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth += 1) {
    const message = textAt(error, "message")
    const code = textAt(error, "code")
    if (message !== "" || code !== "") words = code === "" ? message : `${code}: ${message}`
    error = valueAt(error, "innererror")
  }
  return words
}

const valueAt = (json: unknown, key: string): unknown =>
  typeof json === "object" && json !== null ? (json as Readonly<Record<string, unknown>>)[key] : undefined

const textAt = (json: unknown, key: string): string => {
  const value = valueAt(json, key)
  return typeof value === "string" ? value : ""
}
