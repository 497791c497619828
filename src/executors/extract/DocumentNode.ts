import * as Effect from "effect/Effect"
import type { Content } from "../../domain/Content.ts"
import type { DocumentError } from "../../documents/DocumentError.ts"
import { withSummary } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as StepKey from "../../executor/StepKey.ts"
import type * as Settings from "../../executor/Settings.ts"
import type { Jobs } from "../../threads/Jobs.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as Findings from "./parsing/Findings.ts"
import * as DocumentJobs from "./parsing/DocumentJobs.ts"
import * as TextBytes from "./parsing/TextBytes.ts"

/** How a type reads one kind of document, for settings that are decoded already. */
export interface Reader<Job extends keyof Jobs> {
  readonly settings: PerItem.PerItemSettings & DocumentBytes.BytesSettings
  /** What the thread gets beside the bytes. */
  readonly input: (item: Content) => Omit<Jobs[Job]["input"], "bytes">
  /** The keys of `data` and `summary_data` that {@link write} writes, where it depends on nothing but the bytes and {@link input}. */
  readonly writes?: ReadonlyArray<string>
  /** Why the document's text is blank, if it is. That becomes one of the document's warnings before {@link write} gets it. */
  readonly blank: (document: Jobs[Job]["output"]) => Findings.Blank | undefined
  /** The item with what was found, its warnings among it. */
  readonly write: (item: Content, document: Jobs[Job]["output"]) => Content
  /** What goes on in place of an item whose document can't be read; undefined fails the item. */
  readonly unreadable?: (item: Content, error: DocumentError) => Content | undefined
}

/**
 * Defines a type that reads each item's document in a thread of its own. What could not be read, or was only guessed, is in the output as `write` has it, in
 * `summary_data.extraction_warnings`, in the details of the item's log entry and in the worker's log. `extraction_status` is `success`, or `empty`.
 */
export const define = <const F extends Settings.Fields, Job extends keyof Jobs>(definition: {
  readonly type: string
  readonly aliases?: ReadonlyArray<string>
  readonly name: string
  readonly description: string
  readonly settings: F
  readonly check?: (settings: Settings.TypeOf<F>) => ReadonlyArray<Settings.SettingProblem>
  readonly job: Job
  /** Whether a text in `data.<content_field>` may be the document itself, not only its base64 form. */
  readonly takesText?: boolean
  readonly reader: (settings: Settings.TypeOf<F>) => Reader<Job>
  readonly cost?: Executor.Cost
  readonly version?: number
}) => {
  const { job, reader, takesText, ...described } = definition
  return Executor.define({
    ...described,
    category: "extract",
    make: (decoded, context) => {
      const { blank, input, settings, unreadable, write, writes } = reader(decoded)
      return Effect.gen(function* () {
        const jobs = yield* DocumentJobs.make(context, settings)
        const bytesOf = yield* takesText === true
          ? TextBytes.make(context, settings)
          : DocumentBytes.make(context, settings)
        const sizeOf = yield* DocumentBytes.sizes(settings)
        const read = (
          item: Content,
          note: (details: Readonly<Record<string, unknown>>) => void,
          progress: Executor.StepProgress
        ) =>
          jobs
            .read(
              item,
              job,
              sizeOf(item),
              Effect.map(bytesOf(item), (bytes) => ({ ...input(item), bytes }) as Jobs[Job]["input"])
            )
            .pipe(
              Effect.flatMap((document) => {
                const lack = blank(document)
                const warnings = lack === undefined ? document.warnings : [...document.warnings, lack.warning]
                note(Findings.detailsOf(warnings))
                progress.writes([...(writes ?? []), "extraction_status", "extraction_warnings"])
                const found = withSummary(write(item, { ...document, warnings }), {
                  extraction_status: lack?.status ?? "success"
                })
                return Effect.as(Findings.log(item, warnings), Findings.withWarnings(found, warnings))
              }),
              Effect.catchTag("DocumentError", (error) => {
                const passed = unreadable?.(item, error)
                progress.discard()
                return passed === undefined ? Effect.fail(jobs.failure(item, error)) : Effect.succeed(passed)
              })
            )
        return PerItem.perItem(
          context,
          settings,
          (item, _, note, progress) => read(item, note, progress),
          writes === undefined
            ? undefined
            : (item) =>
                Effect.map(
                  Effect.flatMap(bytesOf(item), (bytes) => StepKey.ofBytes(new Uint8Array(bytes))),
                  (document) => [document, input(item), item.summary_data["extraction_warnings"] ?? null]
                )
        )
      })
    }
  })
}
