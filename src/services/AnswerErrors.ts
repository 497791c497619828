import * as CutText from "../text/CutText.ts"
import { redact } from "../domain/Redaction.ts"
import { CallError } from "./CallError.ts"
import type { HttpAnswer } from "./ServiceHttp.ts"

/** Whom a call went to, as errors name it. */
export interface Callee {
  /** `Azure OpenAI`, `Document Intelligence`, … */
  readonly service: string
  readonly host: string
  readonly deployment: string | null
  /** What the deployment is: `deployment`, `model`, `index`, … */
  readonly noun: string
  /** The settings that help, by what is wrong. */
  readonly settings: { readonly key: string; readonly endpoint: string; readonly deployment: string }
}

/** `Azure OpenAI at my.openai.azure.com, deployment gpt-4.1-mini`. */
export const nameOf = ({ deployment, host, noun, service }: Callee): string =>
  `${service} at ${host}${deployment === null ? "" : `, ${noun} ${deployment}`}`

/** What services say is wrong: `{"error": {"code", "message", "type", "innererror": {"code"}}}`, in one of its many forms. */
export interface SaidError {
  readonly code: string
  readonly type: string
  readonly message: string
}

export const saidError = (value: unknown): SaidError | undefined => {
  if (!isObject(value)) return undefined
  const error = value["error"] ?? value["Error"]
  if (typeof error === "string" && error !== "") return { code: "", type: "", message: short(error) }
  const source = isObject(error)
    ? error
    : typeof value["message"] === "string" && ("code" in value || "statusCode" in value)
      ? value
      : undefined
  if (source === undefined) return undefined
  const inner = isObject(source["innererror"]) ? source["innererror"] : undefined
  return {
    code: [textOf(source["code"]), textOf(inner?.["code"])].filter((code) => code !== "").join("/"),
    type: textOf(source["type"]),
    message: short(textOf(inner?.["message"]) || textOf(source["message"]))
  }
}

/** The error of an answer whose status or content says that the call failed. */
export const ofAnswer = (
  callee: Callee,
  answer: HttpAnswer,
  said: SaidError | undefined,
  retryAfterMillis: number | null
): CallError => {
  const { status } = answer
  const name = nameOf(callee)
  const words = said === undefined || said.message === "" ? "" : ` It says: ${said.message}`
  const code = `${said?.code ?? ""} ${said?.type ?? ""}`.toLowerCase()
  const { settings } = callee
  const error = (reason: CallError["reason"], message: string) =>
    new CallError({ reason, status, retryAfterMillis, message: `${message}${words}` })
  if (status >= 300 && status < 400) {
    return error(
      "Misdirected",
      `${name} redirects elsewhere, where the call is not taken: the setting ${settings.endpoint} must name the service itself.`
    )
  }
  if (/insufficient_quota|billing|quota.?exceeded|outofquota/.test(code)) {
    return error(
      "QuotaUsedUp",
      `${name} refuses because the quota of this account is used up: raise it, or wait for the next period.`
    )
  }
  if (/content_filter|responsibleai/.test(code)) {
    return error("Filtered", `${name} refuses the text by its content filter (${said?.code ?? "content_filter"}).`)
  }
  if (status === 401 || status === 403 || /invalid_api_key|unauthorized|accessdenied|permissiondenied/.test(code)) {
    return error(
      "Unauthorized",
      `${name} refuses to be called so (${status}): the key in the setting ${settings.key} is wrong, or the worker's identity lacks a role on the resource.`
    )
  }
  if (status === 404 || /deploymentnotfound|model_not_found|indexnotfound/.test(code)) {
    return error(
      "Unknown",
      `${name} does not know what is asked for (404): look at the settings ${settings.endpoint} and ${settings.deployment}.`
    )
  }
  if (status === 413 || /context_length_exceeded|string_above_max_length/.test(code)) {
    return error("TooLarge", `${name} refuses the request as too large.`)
  }
  if (status === 408 || status >= 500 || /server_error|serviceunavailable|timeout|overloaded/.test(code)) {
    return error("Unavailable", `${name} can't answer at the moment (${status}).`)
  }
  return error("Invalid", `${name} refuses the request (${status}${said?.code ? `, ${said.code}` : ""}).`)
}

export const isThrottled = (answer: HttpAnswer, said: SaidError | undefined): boolean => {
  const code = `${said?.code ?? ""} ${said?.type ?? ""}`.toLowerCase()
  if (/insufficient_quota|billing/.test(code)) return false
  return answer.status === 429 || /rate_limit|ratelimit|too_many_requests|throttl/.test(code)
}

/** Why an answer can't be read as JSON. Its text is not shown: it may be the document's. */
export const unreadable = (callee: Callee, answer: HttpAnswer): CallError => {
  const name = nameOf(callee)
  const { body, status } = answer
  const error = (reason: CallError["reason"], message: string) => new CallError({ reason, status, message })
  if (body.length === 0) return error("Unavailable", `${name} answers ${status} with nothing in it.`)
  const start = Buffer.from(body.subarray(0, 200)).toString("utf8").trimStart()
  return start.startsWith("<")
    ? error(
        "Unreadable",
        `${name} answers with a page (HTML or XML) instead of JSON: the setting ${callee.settings.endpoint} names something else, or a proxy answers in its place.`
      )
    : start.startsWith("{") || start.startsWith("[")
      ? error("Unavailable", `${name} answers with JSON that breaks off (${body.length} bytes).`)
      : error("Unreadable", `${name} answers with something that is no JSON (${body.length} bytes).`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "")

/** Services may quote a little of the request, so what they say is cut. */
const short = (text: string): string => {
  const safe = redact(text).replaceAll(/\s+/g, " ").trim()
  return CutText.shortened(safe, 300)
}
