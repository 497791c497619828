import { gunzipSync } from "node:zlib"
import type { Call, Exchange } from "../../src/testing/FaultProxy.ts"
import * as Model from "./Model.ts"

/** One call that is paid for: it is when it reaches the model, whatever becomes of the answer. */
interface Ask {
  readonly worker: string
  readonly at: number
  /** When the whole answer was on its way to the worker, and nothing stood between them. */
  heardAt: number | undefined
}

/** What a worker did about a kept answer: the service did it, or never heard of it. */
interface Access {
  readonly worker: string
  readonly begun: number
  ended: number | undefined
}

/** What was paid for, and why more than once. */
export interface Account {
  /** Different ones. */
  readonly questions: number
  readonly calls: number
  /** Calls beyond the first for each question, by what excuses them: the answer before did not reach its worker. */
  readonly unheard: number
  /** The worker that had the answer died, or was stopped, before it was kept. */
  readonly afterDeath: number
  /** It was not kept yet when this one looked for it: two attempts at the same time, one of which had lost its lease. */
  readonly atOnce: number
  /** What keeps answers was away. */
  readonly away: number
  /** Nothing excuses these. */
  readonly misses: ReadonlyArray<string>
}

/** A worker that has an answer tries so long to keep it, and one that looks for it so long to read it. */
const patience = 60_000

/** An answer is on its way for a moment when its worker is stopped or dies. */
const tolerance = 2_000

/** What the proxies saw of questions to a model, and of the blobs below `folder` where their answers are kept. */
export const make = (folder: string, now: () => number = Date.now) => {
  const asks = new Map<string, Array<Ask>>()
  const asksOf = new WeakMap<Call, Ask>()
  /** By the path of a kept answer. */
  const looks = new Map<string, Array<Access>>()
  const writes = new Map<string, Array<Access>>()
  const accessOf = new WeakMap<Call, Access>()
  /** Where answers to a question are kept. */
  const places = new Map<string, Set<string>>()
  const ends = new Map<string, number>()
  const stops = new Map<string, Array<{ readonly from: number; to: number }>>()

  const placeOf = ({ path }: Call): string | undefined => {
    const { pathname, searchParams } = new URL(path, "http://proxy")
    return pathname.includes(folder) && !searchParams.has("comp") ? pathname : undefined
  }

  const ofQuestion = (question: string, all: ReadonlyMap<string, ReadonlyArray<Access>>) =>
    [...(places.get(question) ?? [])].flatMap((place) => all.get(place) ?? [])

  /** When the attempt that asks began to look for a kept answer; undefined when it could read nothing. One that did not look knows what is kept. */
  const lookedAt = ({ at, worker }: Ask, question: string): number | undefined => {
    const own = ofQuestion(question, looks).filter(
      (look) => look.worker === worker && look.begun <= at && look.begun > at - patience
    )
    const done = own.filter(({ ended }) => ended !== undefined).map(({ begun }) => begun)
    if (done.length > 0) return Math.max(...done)
    return own.length > 0 ? undefined : at
  }

  /** Why the worker that had an answer before did not keep it in time; a miss when there is no reason. */
  const excuseOf = (before: Ask & { readonly heardAt: number }, ask: Ask, looked: number, question: string) => {
    const { at, heardAt, worker } = before
    const own = ofQuestion(question, writes).filter((write) => write.worker === worker && write.begun >= at)
    if (own.some(({ ended }) => ended !== undefined && ended > looked)) return "atOnce"
    const end = ends.get(worker) ?? Number.POSITIVE_INFINITY
    if (end >= heardAt - tolerance && end <= ask.at + tolerance) return "afterDeath"
    const wasStopped = (stops.get(worker) ?? []).some(({ from, to }) => from <= heardAt + tolerance && to >= at)
    if (wasStopped) return "afterDeath"
    return own.some(({ ended }) => ended === undefined) ? "away" : undefined
  }

  const judge = (question: string, ask: Ask, before: ReadonlyArray<Ask>): Verdict => {
    const looked = lookedAt(ask, question)
    if (looked === undefined) return { excuse: "away" }
    const kept = ofQuestion(question, writes).flatMap(({ ended }) => (ended === undefined ? [] : [ended]))
    const first = Math.min(...kept, Number.POSITIVE_INFINITY)
    if (first < looked) return { miss: `the answer was kept ${ask.at - first} ms before` }
    const heard = before.flatMap((one) =>
      one.heardAt === undefined || one.heardAt > ask.at ? [] : [{ ...one, heardAt: one.heardAt }]
    )
    let excuse: keyof Excuses = "unheard"
    for (const one of heard) {
      const found = excuseOf(one, ask, looked, question)
      if (found === undefined) {
        return { miss: `${one.worker} had the answer ${ask.at - one.heardAt} ms before, lived, and did not keep it` }
      }
      excuse = found
    }
    return { excuse }
  }

  /** All that happened around a question, in its order. */
  const toldOf = (question: string, all: ReadonlyArray<Ask>, what: string): string => {
    const access = (name: string, some: ReadonlyMap<string, ReadonlyArray<Access>>) =>
      ofQuestion(question, some).map(
        ({ begun, ended, worker }) =>
          [begun, `${worker} ${name} (${ended === undefined ? "no answer" : "done"})`] as const
      )
    const lines = [
      ...all.map(({ at, worker }) => [at, `${worker} asks`] as const),
      ...all.flatMap(({ heardAt, worker }) =>
        heardAt === undefined ? [] : [[heardAt, `${worker} is answered`] as const]
      ),
      ...access("looks for the kept answer", looks),
      ...access("keeps the answer", writes),
      ...[...ends].map(([worker, at]) => [at, `${worker} ends`] as const)
    ]
    const about = lines.filter(([, text]) => all.some(({ worker }) => text.startsWith(`${worker} `)))
    return [
      `${question}: ${what}`,
      ...about.toSorted(([one], [other]) => one - other).map(([at, text]) => `${timeOf(at)} ${text}`)
    ].join("\n        ")
  }

  return {
    /** A call to the model. */
    asked: (worker: string, call: Call) => {
      const question = Model.questionOf(call.body.toString("utf8"))
      const ask: Ask = { worker, at: call.at, heardAt: undefined }
      asks.set(question, [...(asks.get(question) ?? []), ask])
      asksOf.set(call, ask)
    },
    answered: ({ answer, call, delivered }: Exchange) => {
      const ask = asksOf.get(call)
      if (ask !== undefined && delivered && answer.status === 200) ask.heardAt = now()
    },
    /** A call to the blobs. */
    arrived: (worker: string, call: Call) => {
      const place = placeOf(call)
      if (place === undefined || (call.method !== "GET" && call.method !== "PUT")) return
      const access: Access = { worker, begun: call.at, ended: undefined }
      accessOf.set(call, access)
      const all = call.method === "GET" ? looks : writes
      all.set(place, [...(all.get(place) ?? []), access])
      if (call.method !== "PUT") return
      for (const question of Model.answersIn(textOf(call.body))) {
        places.set(question, (places.get(question) ?? new Set()).add(place))
      }
    },
    done: ({ answer, call }: Exchange) => {
      const access = accessOf.get(call)
      if (access === undefined) return
      if (answer.status < 300 || (call.method === "GET" && answer.status === 404)) access.ended = now()
    },
    /** The process has ended. */
    ended: (worker: string) => void ends.set(worker, now()),
    /** The process is stopped for so long. */
    stopped: (worker: string, millis: number) =>
      void stops.set(worker, [...(stops.get(worker) ?? []), { from: now(), to: now() + millis }]),
    account: (): Account => {
      const excuses: Excuses = { unheard: 0, afterDeath: 0, atOnce: 0, away: 0 }
      const misses: Array<string> = []
      let calls = 0
      for (const [question, all] of asks) {
        calls += all.length
        all.forEach((ask, index) => {
          if (index === 0) return
          const { excuse, miss } = judge(question, ask, all.slice(0, index))
          if (excuse !== undefined) excuses[excuse]++
          if (miss !== undefined) misses.push(toldOf(question, all, `${ask.worker} asks again, and ${miss}`))
        })
      }
      return { questions: asks.size, calls, ...excuses, misses }
    }
  }
}

export type PaidCalls = ReturnType<typeof make>

type Excuses = Record<"unheard" | "afterDeath" | "atOnce" | "away", number>

interface Verdict {
  readonly excuse?: keyof Excuses
  readonly miss?: string
}

const textOf = (body: Buffer): string => {
  try {
    return (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString("utf8")
  } catch {
    return ""
  }
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 23)
