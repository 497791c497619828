import type { Answer, Call, Fault } from "../../src/testing/FaultProxy.ts"
import { answers as ofServices, type Service } from "../support/ServiceAnswers.ts"
import type { Dice } from "./Dice.ts"

/** What workers call: the services, and a model. */
export type Called = Service | "model"

const busy = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: Buffer.from(JSON.stringify({ error: { code, message: "Injected by a test" } }))
})

const answers: Readonly<Record<Called, ReadonlyMap<number, Answer>>> = {
  ...ofServices,
  model: new Map([
    [408, busy(408, "Timeout")],
    [429, busy(429, "429", { "retry-after": "1" })],
    [500, busy(500, "InternalServerError")],
    [503, busy(503, "ServiceUnavailable")]
  ])
}

/** Random faults of the services, at rates of a bad day: about one call in fourteen. */
export const make = (dice: Dice, holdMillis: number) => {
  const counts = new Map<string, number>()
  const state = { calm: false }

  const choose = (service: Called, call: Call): Fault | undefined => {
    const roll = dice.next()
    if (roll < 0.03) return { kind: "delay", millis: dice.between(20, 1_500) }
    if (roll < 0.055) return bad(service, call)
    if (roll < 0.06) return { kind: "cut before" }
    if (roll < 0.065) return { kind: "cut after" }
    if (roll < 0.068) return { kind: "cut body" }
    if (roll < 0.069) return { kind: "hold", millis: holdMillis }
    return undefined
  }

  const bad = (service: Called, { headers }: Call): Fault => {
    const conditional = headers["if-match"] !== undefined
    const possible = [...answers[service]].filter(([status]) => status !== 412 || conditional)
    const [status, answer] = dice.oneOf(possible)
    return { kind: "answer", name: String(status), answer }
  }

  return {
    counts,
    /** No more faults from here on. */
    end: () => {
      state.calm = true
    },
    fault: (service: Called, call: Call): Fault | undefined => {
      if (state.calm) return undefined
      const fault = choose(service, call)
      if (fault === undefined) return undefined
      const name = fault.kind === "answer" ? `${service} ${fault.name}` : fault.kind
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return fault
    }
  }
}

export type Faults = ReturnType<typeof make>
