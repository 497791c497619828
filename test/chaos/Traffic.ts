import type { Call, Exchange } from "../../src/testing/FaultProxy.ts"

/** A message's lease as the service knows it, whatever its owner was told. */
interface Lease {
  readonly owner: string
  readonly receipt: string
  readonly until: number
  /** When somebody else made it invalid. */
  readonly stolenAt: number | undefined
}

/** What a message that was handed out once was about. */
export interface KnownMessage {
  readonly id: string
  readonly text: string
  readonly executionId: string | undefined
}

/** An output that was written by an attempt that should not have. */
export interface Trespass {
  readonly worker: string
  readonly document: string
  /** The document's. */
  readonly executions: ReadonlyArray<string>
  readonly because: string
}

export interface Names {
  readonly queue: string
  readonly outputs: string
  /** The document that an output is of; the output's own name, where each document has one. */
  readonly documentOf?: (output: string) => string
  readonly executions: string
  /** How long after a theft its victim may still write: until the next renewal tells it. */
  readonly noticeMillis: number
}

/** Clocks tick apart a little, and a call takes a moment from its sender to here. */
const tolerance = 1_000

/**
 * What the proxies saw of the workers' doings: who holds which message, which outputs were written by whom, and how often each
 * execution was started.
 */
export const make = (names: Names) => {
  const leases = new Map<string, Lease>()
  /** Those that ended before somebody else got the message: their owners may not know it yet. */
  const formerLeases = new Map<string, Array<Lease>>()
  const messages = new Map<string, KnownMessage>()
  const messagesOf = new Map<string, Set<string>>()
  /** Executions by the document's path; filled by who uploads. */
  const executionsOf = new Map<string, Set<string>>()
  const receives = new Map<string, number>()
  const starts = new Map<string, number>()
  const mostRetries = new Map<string, number>()
  const stories = new Map<string, Array<string>>()
  const trespasses: Array<Trespass> = []
  const regressions: Array<Trespass> = []
  /** Workers that were stopped for a while (SIGSTOP). */
  const stopped = new Set<string>()
  /** What is wrong with a call that wrote an output, until it is known whether the service did it. */
  const suspected = new WeakMap<Call, string>()
  /** The number of the version that each output was written from last, by the output's name. */
  const written = new Map<string, number>()
  const counts = { calls: 0, outputs: 0, refusedOutputs: 0, removedOutputs: 0 }

  const { documentOf = (output) => output } = names
  const messagePath = `/${names.queue}/messages`
  const bump = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  const tell = (executionId: string, text: string) => {
    const story = stories.get(executionId) ?? []
    story.push(`${new Date().toISOString().slice(11, 23)} ${text}`)
    stories.set(executionId, story)
  }
  const tellDeed = (executionId: string, worker: string, deed: string, { answer, delivered }: Exchange) =>
    tell(executionId, `${worker} ${deed} (${answer.status}${delivered ? "" : ", answer spoiled"})`)

  const received = (worker: string, exchange: Exchange) => {
    const xml = exchange.answer.body.toString("utf8")
    for (const [, part = ""] of xml.matchAll(/<QueueMessage>(.*?)<\/QueueMessage>/gs)) {
      const id = element(part, "MessageId")
      const text = element(part, "MessageText")
      const payload = payloadOf(text)
      const executionId = payload?.execution_id
      messages.set(id, { id, text, executionId })
      const former = leases.get(id)
      if (former !== undefined) formerLeases.set(id, [...(formerLeases.get(id) ?? []), former])
      leases.set(id, {
        owner: worker,
        receipt: element(part, "PopReceipt"),
        until: Date.parse(element(part, "TimeNextVisible")),
        stolenAt: undefined
      })
      if (executionId === undefined) continue
      bump(receives, executionId)
      tellDeed(executionId, worker, `received message ${id}`, exchange)
      mostRetries.set(executionId, Math.max(mostRetries.get(executionId) ?? 0, payload?.retry_count ?? 0))
      const all = messagesOf.get(executionId) ?? new Set()
      messagesOf.set(executionId, all.add(id))
    }
  }

  const renewed = (worker: string, id: string, { headers }: Exchange["answer"]) => {
    const lease = leases.get(id)
    if (lease?.owner !== worker) return
    leases.set(id, {
      ...lease,
      receipt: String(headers["x-ms-popreceipt"] ?? lease.receipt),
      until: Date.parse(String(headers["x-ms-time-next-visible"]))
    })
  }

  /** Undefined when the worker holds a lease on a message of this document. */
  const trespassOf = (worker: string, document: string, at: number): string | undefined => {
    const ids = [...(executionsOf.get(document) ?? [])].flatMap((execution) => [...(messagesOf.get(execution) ?? [])])
    const own = ids
      .flatMap((id) => [formerLeases.get(id) ?? [], leases.get(id) ?? []].flat())
      .filter(({ owner }) => owner === worker)
    if (own.some(({ stolenAt, until }) => (stolenAt ?? until) + grace(stolenAt) >= at)) return undefined
    const ends = own.map(({ stolenAt, until }) => `${at - (stolenAt ?? until)} ms after its end`)
    return ends.length === 0 ? `it held none of the messages ${ids.join(", ")}` : ends.join(", ")
  }
  const grace = (stolenAt: number | undefined) => (stolenAt === undefined ? tolerance : names.noticeMillis + tolerance)

  const outputOf = ({ path }: Call): string | undefined => {
    const { pathname, searchParams } = new URL(path, "http://proxy")
    // Other containers have folders of that name.
    const [, , container, ...parts] = pathname.split("/")
    const output = container === names.outputs && parts.length > 0 ? parts.join("/") : undefined
    return output === undefined || searchParams.get("restype") !== null
      ? undefined
      : decodeURIComponent(output).replace(/\.json$/, "")
  }

  /**
   * Who was stopped can't know that its lease has ended in between: then a condition that the service found true protects what others wrote.
   * Others must know.
   */
  const wrote = (worker: string, output: string, exchange: Exchange) => {
    const { answer, call } = exchange
    const document = documentOf(output)
    const executions = [...(executionsOf.get(document) ?? [])]
    const number = Number(/marker-(\d+)-/.exec(call.body.toString("utf8"))?.[1] ?? -1)
    const deed = `${call.method} output of version ${number}`
    for (const executionId of executions) tellDeed(executionId, worker, deed, exchange)
    if (answer.status >= 300) return void counts.refusedOutputs++
    const conditional = call.headers["if-match"] !== undefined || call.headers["if-none-match"] !== undefined
    const because = suspected.get(call)
    if (because !== undefined && !(conditional && stopped.has(worker)))
      trespasses.push({ worker, document, executions, because })
    const before = written.get(output) ?? -1
    if (number < before) {
      regressions.push({ worker, document, executions, because: `version ${number} over ${before}` })
    }
    written.set(output, number)
  }

  const removed = (worker: string, output: string, exchange: Exchange) => {
    counts.removedOutputs++
    written.delete(output)
    const executions = executionsOf.get(documentOf(output)) ?? []
    for (const executionId of executions) tellDeed(executionId, worker, `removed ${output}`, exchange)
  }

  return {
    counts,
    trespasses,
    regressions,
    messages,
    messagesOf: messagesOf as ReadonlyMap<string, ReadonlySet<string>>,
    executionsOf,
    stopped,
    receives,
    starts,
    mostRetries,
    /** The number of the version that an output was written from last; undefined when it is not there. */
    versionOf: (output: string): number | undefined => written.get(output),
    /** What was done about an execution, a line each, in order. */
    storyOf: (executionId: string): ReadonlyArray<string> => stories.get(executionId) ?? [],
    /** The messages that somebody holds now. */
    held: (now: number) =>
      [...leases].flatMap(([id, lease]) =>
        lease.until > now && lease.stolenAt === undefined ? [{ id, receipt: lease.receipt }] : []
      ),
    stolen: (id: string, at: number) => {
      const lease = leases.get(id)
      if (lease === undefined) return
      leases.set(id, { ...lease, stolenAt: at })
      const executionId = messages.get(id)?.executionId
      if (executionId !== undefined) tell(executionId, `somebody steals message ${id} from ${lease.owner}`)
    },
    arrived: (worker: string, call: Call) => {
      counts.calls++
      const output = outputOf(call)
      if (output === undefined || call.method !== "PUT") return
      counts.outputs++
      const because = trespassOf(worker, documentOf(output), call.at)
      if (because !== undefined) suspected.set(call, because)
    },
    answered: (worker: string, exchange: Exchange) => {
      const { answer, call, delivered } = exchange
      const { pathname, searchParams } = new URL(call.path, "http://proxy")
      const done = answer.status < 300
      const output = outputOf(call)
      if (output !== undefined && call.method === "PUT") wrote(worker, output, exchange)
      if (output !== undefined && call.method === "DELETE" && done) removed(worker, output, exchange)
      if (done && pathname.endsWith(messagePath) && call.method === "GET" && searchParams.get("peekonly") === null) {
        received(worker, exchange)
      }
      const [, message] = pathname.split(`${messagePath}/`)
      if (message !== undefined) {
        const executionId = messages.get(message)?.executionId
        if (executionId !== undefined) tellDeed(executionId, worker, `${call.method} message ${message}`, exchange)
        if (done && call.method === "PUT") renewed(worker, message, answer)
        if (done && call.method === "DELETE") leases.delete(message)
      }
      const [, document] = pathname.split(`/colls/${names.executions}/docs/`)
      if (document === undefined || call.method !== "PATCH") return
      const executionId = decodeURIComponent(document)
      const status = /"(pending|running|completed|failed)"/.exec(call.body.toString("utf8"))?.[1] ?? "nothing"
      tellDeed(executionId, worker, `set it to ${status}`, exchange)
      if (done && delivered && status === "running") bump(starts, executionId)
    }
  }
}

export type Traffic = ReturnType<typeof make>

const element = (xml: string, name: string): string =>
  (xml.match(new RegExp(`<${name}>(.*?)</${name}>`, "s"))?.[1] ?? "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&#xD;", "\r")
    .replaceAll("&amp;", "&")

interface Payload {
  readonly execution_id?: string
  readonly retry_count?: number
}

const payloadOf = (text: string): Payload | undefined => {
  try {
    const value: { readonly payload?: Payload } | null = JSON.parse(text)
    return value?.payload ?? undefined
  } catch {
    return undefined
  }
}
