import { Clock, Duration, Effect } from "effect"
import type { Call, Fault } from "../../src/testing/FaultProxy.ts"
import { answers, forbidden, type Service } from "../support/ServiceAnswers.ts"
import type { Dice } from "./Dice.ts"

/** How a service is away. */
export type Kind = "403" | "503" | "cut"

/** An outage, and what it cost. */
export interface Outage {
  readonly service: Service
  readonly kind: Kind
  /** For how long calls were counted: an outage is noticed before it is waited out. */
  readonly countedMillis: number
  /** By process. */
  readonly calls: ReadonlyArray<Calls>
}

export interface Calls {
  readonly worker: number
  /** Of the service that is away. */
  readonly refused: number
  /** How often each of these was refused. */
  readonly requests: ReadonlyMap<string, number>
  /** Of all services. */
  readonly all: number
}

export interface Options {
  readonly dice: Dice
  readonly workers: number
  /** How long the outages are, at least and at most. */
  readonly millis: readonly [least: number, most: number]
  readonly count: number
  readonly tell: (text: string) => void
}

/** The first of an outage, in which calls that were under way fail and are tried again. */
const noticeMillis = 10_000

/** How long a worker tries to reach its services before it ends, on a machine with much to do. */
const startMillis = 30_000

const kinds: Readonly<Record<Service, ReadonlyArray<Kind>>> = {
  cosmos: ["403", "cut"],
  blob: ["503", "403", "cut"],
  queue: ["cut", "403"]
}

const faultOf = (service: Service, kind: Kind): Fault => {
  if (kind === "cut") return { kind: "cut before" }
  const answer = kind === "403" ? forbidden[service] : answers[service].get(503)
  return answer === undefined ? { kind: "cut before" } : { kind: "answer", name: kind, answer }
}

/** One service after the other is away for all workers, for long enough that no retry of a call outlives it. */
export const make = ({ count, dice, millis, tell, workers }: Options) => {
  const done: Array<Outage> = []
  /** Documents, executions and messages that calls were about which an outage refused. */
  const concerned = new Set<string>()
  let now: { readonly service: Service; readonly fault: Fault; readonly countFrom: number } | undefined
  let calls: Array<Calls> = []
  let lastUntil = 0

  const rest: Array<Service> = ["cosmos", "blob", "queue"]
  const drawn = () => {
    const service = dice.oneOf(rest)
    rest.splice(rest.indexOf(service), 1)
    if (rest.length === 0) rest.push("cosmos", "blob", "queue")
    return { service, kind: dice.oneOf(kinds[service]) }
  }
  // Thrown before anything happens: what is away does not depend on when.
  const plan = Array.from({ length: count }, () => ({
    ...drawn(),
    millis: dice.between(...millis),
    pause: dice.between(Math.floor(millis[0] / 5), Math.floor(millis[0] / 2))
  }))

  const outage = Effect.fnUntraced(function* (each: (typeof plan)[number]) {
    const { kind, service } = each
    const begun = yield* Clock.currentTimeMillis
    const notice = Math.min(noticeMillis, each.millis / 3)
    calls = Array.from({ length: workers }, (_, worker) => ({
      worker,
      refused: 0,
      requests: new Map(),
      all: 0
    }))
    now = { service, fault: faultOf(service, kind), countFrom: begun + notice }
    tell(`${service} is away (${kind}) for ${(each.millis / 1_000).toFixed(0)} s`)
    yield* Effect.sleep(Duration.millis(each.millis))
    now = undefined
    done.push({ service, kind, countedMillis: each.millis - notice, calls })
    lastUntil = begun + each.millis
    tell(`${service} is there again`)
  })

  return {
    done,
    concerned,
    /** Whether a service is away, or was when a worker that gave up its start began it. */
    isRecent: () => now !== undefined || Date.now() < lastUntil + startMillis,
    /** What happens to a call of this worker; nothing, when its service is there. */
    fault: (service: Service, worker: number, call: Call): Fault | undefined => {
      if (now === undefined) return undefined
      const away = now.service === service
      if (call.at >= now.countFrom) {
        calls = calls.map((each) =>
          each.worker === worker ? { ...each, all: each.all + 1, ...(away ? refusal(each, call) : {}) } : each
        )
      }
      if (!away) return undefined
      for (const name of namesIn(call.path)) concerned.add(name)
      return now.fault
    },
    run: Effect.forEach(plan, (each) => Effect.delay(outage(each), Duration.millis(each.pause)), {
      discard: true
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          now = undefined
        })
      )
    )
  }
}

export type Outages = ReturnType<typeof make>

/** The parts of an address that may be a document's name, an execution's or a message's id. */
const namesIn = (path: string): ReadonlyArray<string> => decodeURIComponent(path.split("?")[0] ?? "").split("/")

const refusal = ({ refused, requests }: Calls, { method, path }: Call) => {
  const request = `${method} ${path.slice(0, 150)}`
  return { refused: refused + 1, requests: new Map([...requests, [request, (requests.get(request) ?? 0) + 1]]) }
}
