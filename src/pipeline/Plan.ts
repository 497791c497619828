import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { ExecutorId } from "../domain/Ids.ts"
import type { Prepared } from "../executor/Executor.ts"
import type { Policy } from "../executor/Outputs.ts"
import type { PlannedStep } from "../executor/Rehearsal.ts"
import type { DefinitionGraph } from "./DefinitionGraph.ts"
import type { Node } from "./Node.ts"
import * as Problem from "./Problem.ts"
import type { Runnable } from "./GraphRunner.ts"
import * as RunGraph from "./RunGraph.ts"

/** What a vault's crawl needs of a pipeline. */
export interface InputExecutor {
  readonly id: ExecutorId
  readonly type: string
  /** `enabled` of the node's settings: false means no crawl. */
  readonly enabled: boolean
  /** `polling_interval_seconds`, when it is a positive number. */
  readonly pollingInterval: Option.Option<Duration.Duration>
  /** `items_per_task` (ours): how many items one task carries. Default 1. */
  readonly itemsPerTask: number
  readonly prepared: Prepared<never>
}

/** A node that writes outside of the run and can take it back, in the pipeline or in one that it uses. */
export interface OutputNode {
  readonly id: string
  /** `on_source_deleted` of the node. */
  readonly policy: Policy | null
  readonly open: Node["open"]
}

/** A checked pipeline, ready to run any number of times. Made by `Compiler.compile`; immutable but for what it remembers. */
export interface Plan {
  /** `name` of the definition. */
  readonly name: string
  readonly warnings: ReadonlyArray<Problem.Problem>
  readonly graph: DefinitionGraph
  /** By the numbers of the graph; undefined for a node that never runs, or that `blocked` keeps from running. */
  readonly nodes: ReadonlyArray<Node | undefined>
  /** Errors of input nodes, which only matter to a run that does not exclude them, and to a crawl. */
  readonly blocked: ReadonlyMap<number, ReadonlyArray<Problem.Problem>>
  /** The first executor that can crawl, with its number. */
  readonly input: Option.Option<{ readonly node: number; readonly executor: InputExecutor | null }>
  readonly outputs: ReadonlyArray<OutputNode>
  /** All nodes that can run, those inside of others, too, in the order of the definition. */
  readonly steps: ReadonlyArray<PlannedStep>
  /** Graphs by the number of the excluded node; filled as they are asked for. */
  readonly runnables: Map<number | "none" | "unknown", Either.Either<Runnable, Problem.PipelineInvalid>>
}

/**
 * What runs when the task's items come from the node `exclude`. An id that the pipeline does not have (any more) stands for
 * whatever crawls for it now: a task must never list the source again.
 */
export const runnable = (plan: Plan, exclude: ExecutorId | null): Either.Either<Runnable, Problem.PipelineInvalid> => {
  const node = exclude === null ? -1 : plan.graph.nodes.findIndex(({ id }) => id === exclude)
  return remembered(plan, exclude === null ? "none" : node < 0 ? "unknown" : node)
}

/** What runs when the plan is another one's child: the parent's items take the place of what its input would list. */
export const runnableAsChild = (plan: Plan): Either.Either<Runnable, Problem.PipelineInvalid> =>
  remembered(plan, "unknown")

/** Of the nodes of a plan only its inputs are ever excluded; the bound is for a plan that has thousands. */
const maxRunnables = 16

const remembered = (plan: Plan, key: number | "none" | "unknown"): Either.Either<Runnable, Problem.PipelineInvalid> => {
  const known = plan.runnables.get(key)
  if (known !== undefined) return known
  const origin: RunGraph.Origin =
    key === "none" ? { _tag: "Defined" } : { _tag: "Crawled", node: key === "unknown" ? null : key }
  const made = Either.match(RunGraph.resolve(plan.graph, origin), {
    onLeft: (message) => Either.left(new Problem.PipelineInvalid({ pipeline: plan.name, message })),
    onRight: (graph) => {
      const problems = graph.nodes.flatMap((node, index) =>
        node?.kind === "run" ? (plan.blocked.get(index) ?? []) : []
      )
      return problems.length > 0
        ? Either.left(Problem.invalid(plan.name, problems))
        : Either.right({ nodes: plan.nodes, graph })
    }
  })
  if (plan.runnables.size >= maxRunnables) plan.runnables.clear()
  plan.runnables.set(key, made)
  return made
}
