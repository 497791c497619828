import { assert, describe, it } from "@effect/vitest"
import type { Exchange } from "../../src/testing/FaultProxy.ts"
import * as Traffic from "./Traffic.ts"

const start = Date.parse("2026-01-02T10:00:00Z")
const seconds = (count: number) => start + count * 1_000
const document = "single/doc.txt"

/** What the proxies saw until now: one task, whose message can be handed out. */
const scene = () => {
  const traffic = Traffic.make({
    queue: "tasks",
    outputs: "outputs",
    documentOf: (output) => output.replace(/-part-\d+$/, ""),
    executions: "executions",
    noticeMillis: 10_000
  })
  traffic.executionsOf.set(document, new Set(["exec_1"]))
  const exchange = (method: string, path: string, at: number, body = "", sent: Sent = {}): Exchange => ({
    call: { method, path, headers: sent.headers ?? {}, body: Buffer.from(sent.body ?? ""), at },
    answer: { status: sent.status ?? 200, headers: {}, body: Buffer.from(body) },
    delivered: true
  })
  return {
    traffic,
    /** The worker gets the message for 15 s. */
    receives: (worker: string, at: number) => {
      const fields = {
        MessageId: "m",
        PopReceipt: `of ${worker}`,
        TimeNextVisible: new Date(at + 15_000).toUTCString(),
        MessageText: JSON.stringify({ payload: { execution_id: "exec_1" } })
      }
      const inner = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`)
      const body = `<QueueMessage>${inner.join("")}</QueueMessage>`
      traffic.answered(worker, exchange("GET", "/account/tasks/messages", at, body))
    },
    deletes: (worker: string, at: number) =>
      traffic.answered(worker, exchange("DELETE", "/account/tasks/messages/m?popreceipt=r", at)),
    writes: (worker: string, at: number, sent: Sent = {}) => {
      const written = exchange("PUT", `/account/outputs/${document}${sent.part ?? ""}.json`, at, "", sent)
      traffic.arrived(worker, written.call)
      traffic.answered(worker, written)
    },
    removes: (worker: string, at: number, sent: Sent = {}) =>
      traffic.answered(worker, exchange("DELETE", `/account/outputs/${document}${sent.part ?? ""}.json`, at, "", sent))
  }
}

/** A call and its status, where they matter. */
interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly part?: string
  readonly status?: number
}

describe("What the proxies saw of a chaos run", () => {
  it("an output may be written by who holds a message of its document, and by nobody else", () => {
    const { receives, traffic, writes } = scene()
    receives("one", seconds(0))
    writes("one", seconds(14))
    assert.isEmpty(traffic.trespasses)
    writes("two", seconds(14))
    assert.match(traffic.trespasses[0]?.because ?? "", /held none/)
    const noted = { method: "PUT", path: "/account/kept/outputs/vault/note", headers: {}, body: Buffer.from(""), at: 0 }
    traffic.arrived("two", noted)
    assert.strictEqual(traffic.counts.outputs, 2)
  })

  it("an output that is written after the lease has ended is told with how long after", () => {
    const { receives, traffic, writes } = scene()
    receives("one", seconds(0))
    writes("one", seconds(20))
    assert.strictEqual(traffic.trespasses[0]?.because, "5000 ms after its end")
  })

  it("what the service refused did no harm, nor did what a worker that was stopped wrote on a condition", () => {
    const { receives, traffic, writes } = scene()
    receives("one", seconds(0))
    writes("one", seconds(20), { status: 412, headers: { "if-match": "old" } })
    assert.strictEqual(traffic.counts.refusedOutputs, 1)
    traffic.stopped.add("one")
    writes("one", seconds(21), { headers: { "if-none-match": "*" } })
    assert.isEmpty(traffic.trespasses)
    writes("one", seconds(22))
    assert.lengthOf(traffic.trespasses, 1)
    traffic.stopped.clear()
    writes("one", seconds(23), { headers: { "if-match": "current" } })
    assert.lengthOf(traffic.trespasses, 2)
  })

  it("an older version's output over a newer one's is told, whoever writes it", () => {
    const { receives, traffic, writes } = scene()
    receives("one", seconds(0))
    writes("one", seconds(1), { body: "marker-12-" })
    writes("one", seconds(2), { body: "marker-12-" })
    writes("one", seconds(3), { body: "marker-9-", status: 412 })
    assert.isEmpty(traffic.regressions)
    writes("one", seconds(4), { body: "marker-9-" })
    assert.strictEqual(traffic.regressions[0]?.because, "version 9 over 12")
  })

  it("what was removed may be there again in any version, and parts of a document are apart", () => {
    const { receives, removes, traffic, writes } = scene()
    receives("one", seconds(0))
    writes("one", seconds(1), { body: "marker-12-", part: "-part-1" })
    writes("one", seconds(2), { body: "marker-9-", part: "-part-2" })
    removes("one", seconds(3), { status: 412, part: "-part-1" })
    assert.strictEqual(traffic.counts.removedOutputs, 0)
    assert.strictEqual(traffic.versionOf(`${document}-part-1`), 12)
    removes("one", seconds(3), { part: "-part-1" })
    assert.isUndefined(traffic.versionOf(`${document}-part-1`))
    assert.strictEqual(traffic.counts.removedOutputs, 1)
    writes("one", seconds(4), { body: "marker-9-", part: "-part-1" })
    assert.isEmpty(traffic.regressions)
    assert.isEmpty(traffic.trespasses)
    writes("two", seconds(5), { body: "marker-9-", part: "-part-1" })
    assert.strictEqual(traffic.trespasses[0]?.document, document)
  })

  it("the victim of a theft may write until it can know, also when somebody else has the message already", () => {
    const { receives, traffic, writes } = scene()
    receives("one", seconds(0))
    traffic.stolen("m", seconds(2))
    receives("two", seconds(3))
    writes("one", seconds(5))
    writes("two", seconds(6))
    assert.isEmpty(traffic.trespasses)
    writes("one", seconds(14))
    assert.strictEqual(traffic.trespasses[0]?.because, "12000 ms after its end")
  })

  it("the story of an execution has all that was done about it", () => {
    const { deletes, receives, traffic } = scene()
    receives("one", seconds(0))
    traffic.stolen("m", seconds(2))
    receives("two", seconds(3))
    deletes("two", seconds(4))
    assert.deepStrictEqual(
      traffic.storyOf("exec_1").map((line) => line.slice(13)),
      [
        "one received message m (200)",
        "somebody steals message m from one",
        "two received message m (200)",
        "two DELETE message m (200)"
      ]
    )
  })

  it("a message that is deleted is nobody's", () => {
    const { deletes, receives, traffic, writes } = scene()
    receives("one", seconds(0))
    assert.lengthOf(traffic.held(seconds(1)), 1)
    deletes("one", seconds(1))
    assert.isEmpty(traffic.held(seconds(1)))
    writes("one", seconds(2))
    assert.lengthOf(traffic.trespasses, 1)
  })
})
