import * as Effect from "effect/Effect"
import * as Executor from "../../executor/Executor.ts"
import * as Settings from "../../executor/Settings.ts"

/**
 * `subpipeline`: another pipeline as one node. It takes all items at once and gives what its ends put out, once. The
 * original forwards every node's output; and it knows only pipelines of the same file, which the worker never has.
 */
export const executor = Executor.define({
  type: "subpipeline",
  aliases: ["sub-pipeline"],
  category: "pipeline",
  name: "Sub-Pipeline",
  description: "Runs another pipeline on the items: one of the same file, else a stored one.",
  settings: {
    pipeline: Settings.string({ description: "The name of the other pipeline.", default: null }),
    pipeline_id: Settings.string({
      description: "The id of the stored pipeline; goes before its name, for names can change.",
      default: null
    })
  },
  check: ({ pipeline, pipeline_id }) =>
    pipeline === null && pipeline_id === null
      ? [{ path: [], message: "The settings need pipeline (a name) or pipeline_id: which pipeline to run." }]
      : [],
  inner: ({ pipeline, pipeline_id }) => [
    {
      _tag: "Pipeline",
      path: [pipeline_id === null ? "pipeline" : "pipeline_id"],
      id: pipeline_id,
      name: pipeline
    }
  ],
  make: (_, context) => {
    const [child] = context.inner ?? []
    return child === undefined
      ? Effect.die(new TypeError(`${context.id} was built without its pipeline`))
      : Effect.succeed({ process: child.process })
  }
})
