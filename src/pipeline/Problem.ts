import * as Schema from "effect/Schema"

/** Something wrong with a definition, where a person can find it. */
export interface Problem {
  readonly severity: "error" | "warning"
  readonly message: string
  /** `executors[2].settings.chunk_size`; empty for the whole text. */
  readonly path: string
  readonly line: number | null
  readonly column: number | null
}

/** The definition can't run. `message` lists the errors, one a line, each with its line and column. */
export class PipelineInvalid extends Schema.TaggedError<PipelineInvalid>()("PipelineInvalid", {
  pipeline: Schema.String,
  message: Schema.String
}) {}

/** From the top of the YAML text: keys and list indices. */
export type Path = ReadonlyArray<string | number>

/** Where the value at a path starts in the text, counted from 1. */
export type Locate = (path: Path) => { readonly line: number; readonly column: number } | undefined

/** A problem at `path`, with its place in the text. */
export const at = (locate: Locate, path: Path, severity: Problem["severity"], message: string): Problem => {
  const position = locate(path)
  return {
    severity,
    message,
    path: pathText(path),
    line: position?.line ?? null,
    column: position?.column ?? null
  }
}

/** Compares in the order of the text. */
export const byPlace = (a: Problem, b: Problem): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)

export const hasErrors = (problems: ReadonlyArray<Problem>): boolean =>
  problems.some(({ severity }) => severity === "error")

/** The errors of a pipeline as one failure; there must be at least one. */
export const invalid = (pipeline: string, problems: ReadonlyArray<Problem>): PipelineInvalid =>
  new PipelineInvalid({
    pipeline,
    message: problems
      .filter(({ severity }) => severity === "error")
      .map(print)
      .join("\n")
  })

/** One line for people: `line 12, column 9, executors[2].type: …`. */
export const print = (problem: Problem): string => {
  const places = [
    ...(problem.line === null ? [] : [`line ${problem.line}, column ${problem.column}`]),
    ...(problem.path === "" ? [] : [problem.path])
  ]
  return places.length === 0 ? problem.message : `${places.join(", ")}: ${problem.message}`
}

/** `executors[2].settings.chunk_size`: the wrapper `pipeline:` is left out, which authors do not count. */
const pathText = (path: Path): string => {
  const steps = path[0] === "pipeline" ? path.slice(1) : path
  return steps
    .map((step, index) =>
      typeof step === "number"
        ? `[${step}]`
        : /^[A-Za-z_][\w-]*$/.test(step)
          ? `${index === 0 ? "" : "."}${step}`
          : `[${JSON.stringify(step)}]`
    )
    .join("")
}
