import type { DefinitionGraph } from "./DefinitionGraph.ts"
import type { Plan } from "./Plan.ts"

/** The graph of a plan as lines of text: `a (pass_through) → b, c when data.n > 1`. */
export const toText = ({ graph, name }: Plan): string =>
  [
    `Pipeline ${name}`,
    ...graph.order.map((node) => {
      const ways = waysOf(graph, node).map(({ condition, targets }) => {
        const names = targets.map((target) => idOf(graph, target)).join(", ")
        return condition === null ? names : `${names} when ${condition}`
      })
      return `  ${labelOf(graph, node).join(" ")}${ways.length === 0 ? "" : ` → ${ways.join("; ")}`}`
    })
  ].join("\n")

/** The graph of a plan for Mermaid, as the definition has it: disabled nodes are dashed. */
export const toMermaid = ({ graph }: Plan): string => {
  const lines = ["flowchart TD"]
  for (const node of graph.order) lines.push(`  n${node}["${labelOf(graph, node).map(escape).join("<br/>")}"]`)
  for (const node of graph.order) {
    for (const { condition, targets } of waysOf(graph, node)) {
      const arrow = condition === null ? "-->" : `-->|"${escape(condition)}"|`
      for (const target of targets) lines.push(`  n${node} ${arrow} n${target}`)
    }
  }
  const disabled = graph.order.filter((node) => graph.nodes[node]?.enabled === false).map((node) => `n${node}`)
  if (disabled.length > 0)
    lines.push("  classDef disabled stroke-dasharray: 5 5", `  class ${disabled.join(",")} disabled`)
  return lines.join("\n")
}

interface Way {
  readonly condition: string | null
  readonly targets: ReadonlyArray<number>
}

const waysOf = ({ outgoing }: DefinitionGraph, node: number): ReadonlyArray<Way> => {
  const out = outgoing[node]
  if (out === undefined) return []
  return [
    { condition: null, targets: out.always },
    ...out.cases.map(({ condition, targets }) => ({ condition: condition.text, targets })),
    { condition: "default", targets: out.otherwise }
  ].filter(({ targets }) => targets.length > 0)
}

const idOf = ({ nodes }: DefinitionGraph, node: number): string => nodes[node]?.id ?? ""

const labelOf = (graph: DefinitionGraph, node: number): ReadonlyArray<string> => {
  const shown = graph.nodes[node]
  if (shown === undefined) return []
  const joins = (graph.incoming[node]?.length ?? 0) > 1 && graph.wait[node] !== "all"
  return [
    shown.id,
    `(${shown.type})`,
    ...(shown.enabled ? [] : ["[disabled]"]),
    ...(joins ? [`[waits for ${graph.wait[node]}]`] : [])
  ]
}

/** Mermaid's entities; ids are the author's free text. */
const escape = (text: string): string =>
  text.replace(/[^\p{L}\p{N} _.,:()/=+'-]/gu, (character) => `#${character.codePointAt(0) ?? 32};`)
