import { graphlib, layout } from "@dagrejs/dagre"
import { useMemo } from "preact/hooks"
import type { PipelineGraph as Graph } from "../operations/Pipelines.ts"
import { duration } from "./Moment.tsx"

/** What a node did, as far as it is known. */
export interface NodeState {
  readonly state: string
  readonly seconds: number | null
  readonly items: string | null
}

interface Props {
  readonly graph: Graph
  readonly stateOf: (node: string) => NodeState
}

const width = 190
const height = 64

interface Point {
  readonly x: number
  readonly y: number
}

/** The pipeline as a drawing, with what each node did. Everything in it stands in the table of nodes, too. */
export const PipelineGraph = ({ graph, stateOf }: Props) => {
  const drawing = useMemo(() => drawn(graph), [graph])
  return (
    <div class="drawing" role="group" aria-label={`Graph of the pipeline ${graph.name}`} tabIndex={0}>
      <svg
        role="img"
        aria-label={graph.nodes.map(({ id }) => `${id}: ${stateOf(id).state}`).join(", ")}
        width={drawing.width}
        height={drawing.height}
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 L8 4 L0 8 z" class="tip" />
          </marker>
        </defs>
        {drawing.edges.map(({ condition, from, points, to }, index) => (
          <g key={`${from} ${to} ${index}`}>
            <path d={pathOf(points)} class="edge" marker-end="url(#arrow)" />
            {condition === null ? null : (
              <text class="condition" {...middleOf(points)} text-anchor="middle">
                {cut(condition, 28)}
                <title>{condition}</title>
              </text>
            )}
          </g>
        ))}
        {drawing.nodes.map(({ enabled, id, type, x, y }) => {
          const { items, seconds, state } = stateOf(id)
          return (
            <g
              key={id}
              class={`node ${state.replaceAll(" ", "-")} ${enabled ? "" : "disabled"}`}
              transform={`translate(${x - width / 2} ${y - height / 2})`}
            >
              <title>{`${id} (${type}): ${state}`}</title>
              <rect width={width} height={height} rx="8" />
              <text x="10" y="19" class="name">
                {cut(id, 23)}
              </text>
              <text x="10" y="36" class="kind">
                {cut(type, 27)}
              </text>
              <text x="10" y="54" class="state">
                {[state, seconds === null ? null : duration(seconds), items].filter(Boolean).join(" · ")}
              </text>
            </g>
          )
        })}
      </svg>
    </div>
  )
}

const drawn = ({ edges, nodes }: Graph) => {
  const sheet = new graphlib.Graph({ multigraph: true })
  sheet.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 56, marginx: 8, marginy: 8 })
  for (const node of nodes) sheet.setNode(node.id, { width, height })
  for (const [index, { condition, from, to }] of edges.entries()) {
    const label = condition === null ? {} : { width: 150, height: 18, labelpos: "c" }
    sheet.setEdge(from, to, label, String(index))
  }
  layout(sheet)
  const { height: tall = 0, width: wide = 0 } = sheet.graph() as { readonly width?: number; readonly height?: number }
  return {
    width: Math.ceil(wide),
    height: Math.ceil(tall),
    nodes: nodes.map((node) => ({ ...node, ...(sheet.node(node.id) as unknown as Point) })),
    edges: edges.map((edge, index) => ({
      ...edge,
      points: (sheet.edge(edge.from, edge.to, String(index)) as unknown as { readonly points: ReadonlyArray<Point> })
        .points
    }))
  }
}

const pathOf = (points: ReadonlyArray<Point>): string =>
  points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ")

const middleOf = (points: ReadonlyArray<Point>): Point => {
  const { x = 0, y = 0 } = points[Math.floor(points.length / 2)] ?? {}
  return { x, y: y - 6 }
}

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`)
