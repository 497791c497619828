/** What the server says went wrong, in its words. */
export class Problem extends Error {
  readonly status: number
  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** Where the list goes on; null after the last. */
  readonly next: string | null
}

type Query = Readonly<Record<string, string | number | undefined>>

/** Called when the session has ended. */
let onSignedOut: () => void = () => {}

export const whenSignedOut = (handler: () => void): void => {
  onSignedOut = handler
}

const request = async <A>(method: string, path: string, init: RequestInit = {}): Promise<A> => {
  const response = await fetch(path, { ...init, method, credentials: "same-origin", cache: "no-store" }).catch(() => {
    throw new Problem(0, "The worker does not answer. Is it still running?")
  })
  const text = await response.text()
  const answer: unknown = textIsJson(response) ? JSON.parse(text) : undefined
  if (response.ok) return answer as A
  if (response.status === 401 && init.headers === undefined) onSignedOut()
  throw new Problem(response.status, detailOf(answer) ?? `The worker answered ${response.status}.`)
}

const textIsJson = ({ headers }: Response): boolean => headers.get("content-type")?.includes("json") === true

const detailOf = (answer: unknown): string | undefined => {
  if (typeof answer !== "object" || answer === null) return undefined
  const { detail, message } = answer as Readonly<Record<string, unknown>>
  return typeof detail === "string" ? detail : typeof message === "string" ? message : undefined
}

export const get = <A>(path: string, query: Query = {}): Promise<A> => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]]
  )
  const text = new URLSearchParams(given).toString()
  return request("GET", text === "" ? path : `${path}?${text}`)
}

export const post = <A>(path: string, body?: unknown): Promise<A> =>
  request(
    "POST",
    path,
    body === undefined ? {} : { body: new Blob([JSON.stringify(body)], { type: "application/json" }) }
  )

export const remove = <A>(path: string): Promise<A> => request("DELETE", path)

/** A session for who bears the token. */
export const signIn = <A>(token: string): Promise<A> =>
  request("POST", "/session", { headers: { authorization: `Bearer ${token}` } })

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** An id as a part of a path. */
export const part = (id: string): string => encodeURIComponent(id)
