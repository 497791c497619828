import type { Drawing } from "./Drawing.ts"
import type { Plan } from "./Plan.ts"

/** The graph of a plan as lines of text: `a (pass_through) → b, c when data.n > 1`. */
export const toText = ({ drawing, name }: Plan): string =>
  [
    `Pipeline ${name}`,
    ...drawing.order.map((node) => {
      const ways = waysOf(drawing, node).map(({ condition, targets }) => {
        const names = targets.map((target) => idOf(drawing, target)).join(", ")
        return condition === null ? names : `${names} when ${condition}`
      })
      return `  ${labelOf(drawing, node).join(" ")}${ways.length === 0 ? "" : ` → ${ways.join("; ")}`}`
    })
  ].join("\n")

/** The graph of a plan for Mermaid, as the drawing shows it: disabled nodes are dashed. */
export const toMermaid = ({ drawing }: Plan): string => {
  const lines = ["flowchart TD"]
  for (const node of drawing.order) lines.push(`  n${node}["${labelOf(drawing, node).map(escape).join("<br/>")}"]`)
  for (const node of drawing.order) {
    for (const { condition, targets } of waysOf(drawing, node)) {
      const arrow = condition === null ? "-->" : `-->|"${escape(condition)}"|`
      for (const target of targets) lines.push(`  n${node} ${arrow} n${target}`)
    }
  }
  const disabled = drawing.order.filter((node) => drawing.nodes[node]?.enabled === false).map((node) => `n${node}`)
  if (disabled.length > 0)
    lines.push("  classDef disabled stroke-dasharray: 5 5", `  class ${disabled.join(",")} disabled`)
  return lines.join("\n")
}

interface Way {
  readonly condition: string | null
  readonly targets: ReadonlyArray<number>
}

const waysOf = ({ outgoing }: Drawing, node: number): ReadonlyArray<Way> => {
  const out = outgoing[node]
  if (out === undefined) return []
  return [
    { condition: null, targets: out.always },
    ...out.cases.map(({ condition, targets }) => ({ condition: condition.text, targets })),
    { condition: "default", targets: out.otherwise }
  ].filter(({ targets }) => targets.length > 0)
}

const idOf = ({ nodes }: Drawing, node: number): string => nodes[node]?.id ?? ""

const labelOf = (drawing: Drawing, node: number): ReadonlyArray<string> => {
  const drawn = drawing.nodes[node]
  if (drawn === undefined) return []
  const joins = (drawing.incoming[node]?.length ?? 0) > 1 && drawing.wait[node] !== "all"
  return [
    drawn.id,
    `(${drawn.type})`,
    ...(drawn.enabled ? [] : ["[disabled]"]),
    ...(joins ? [`[waits for ${drawing.wait[node]}]`] : [])
  ]
}

/** Mermaid's entities; ids are the author's free text. */
const escape = (text: string): string =>
  text.replace(/[^\p{L}\p{N} _.,:()/=+'-]/gu, (character) => `#${character.codePointAt(0) ?? 32};`)
