import * as Effect from "effect/Effect"
import type { Listener } from "./LocalCatalog.ts"
import * as ProgressBar from "./ProgressBar.ts"

/** The nodes that have worked, of all, and what works now. */
export interface NodeProgress {
  readonly listener: Listener
  /** What the bar says of these nodes. */
  readonly textOf: (executorIds: ReadonlyArray<string>) => (elapsedMillis: number) => string
}

export const make = (): NodeProgress => {
  const working = new Map<string, number>()
  const ended = new Set<string>()
  return {
    listener: {
      started: (id, items) => Effect.sync(() => void working.set(id, items)),
      ended: (id) =>
        Effect.sync(() => {
          working.delete(id)
          ended.add(id)
        })
    },
    textOf: (executorIds) => {
      const nodes = new Set(executorIds)
      return (elapsedMillis) => {
        const done = [...ended].filter((id) => nodes.has(id) && !working.has(id)).length
        // Nodes of child pipelines are not in the graph.
        const now = [...working].flatMap(([id, items]) => (nodes.has(id) ? [`${id} (${items})`] : []))
        return `${ProgressBar.bar(done, nodes.size)} ${done} of ${nodes.size} nodes, ${Math.floor(elapsedMillis / 1000)} s  ${now.join(", ")}`
      }
    }
  }
}
