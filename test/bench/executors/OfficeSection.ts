import { Effect } from "effect"
import type { Documents } from "./Documents.ts"
import * as Nodes from "./Nodes.ts"
import * as Readable from "./Readable.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"
import * as Unzipping from "./Unzipping.ts"

/** Documents, slides and sheets a second, each document alone, beside the unpacking and decoding that nobody can do without. */
export const run = (documents: Documents, seconds: number) =>
  Effect.gen(function* () {
    const threads = yield* Nodes.withThreads(1)
    const calling = yield* Nodes.onCallingThread
    const tables = yield* Effect.forEach(formats, ({ kind, part, type }) =>
      Effect.gen(function* () {
        const settings = { on_invalid_file: "fail" }
        const pooled = yield* threads(type, settings)
        const direct = yield* calling(type, settings)
        const all = documents.of(kind)
        const { subjects, times } = yield* RoundRobin.run<Readable.Readable>(
          yield* Readable.among(all, pooled),
          [
            { name: `${type}, one thread`, run: ({ item }) => pooled([item]) },
            { name: "the same on the calling thread", run: ({ item }) => direct([item]) },
            { name: unzipping, run: ({ path }) => Unzipping.read(path) }
          ],
          seconds
        )
        const characters = yield* Effect.reduce(subjects, 0, (sum, { path }) =>
          Effect.map(
            Effect.orElseSucceed(Unzipping.read(path), () => 0),
            (count) => sum + count
          )
        )
        const floor = times.get(unzipping)
        const parts = part === null ? [] : [Readable.counted(subjects, part.counted)]
        const perSecond = (count: number, took: number) => ((count / took) * 1_000).toFixed(0)
        return [
          `${kind}: ${subjects.length} of ${all.length} documents${part === null ? "" : `, ${parts[0]} ${part.name}`}, ${(characters / 1e6).toFixed(1)} million characters of XML`,
          table(
            [
              "",
              "documents/s",
              ...(part === null ? [] : [`${part.name}/s`]),
              "MB of XML/s",
              "time, this : unpacking",
              "CPU, this : unpacking"
            ],
            [...times].map(([name, { cpu, wall }]) => [
              name,
              perSecond(subjects.length, wall),
              ...parts.map((count) => perSecond(count, wall)),
              perSecond(characters / 1e6, wall),
              (wall / (floor?.wall ?? NaN)).toFixed(1),
              (cpu / (floor?.cpu ?? NaN)).toFixed(1)
            ])
          )
        ].join("\n\n")
      })
    )
    return tables.join("\n\n")
  }).pipe(Effect.scoped)

const unzipping = "unpacking and decoding alone"

const formats = [
  { kind: "docx", type: "word_extractor", part: null },
  { kind: "pptx", type: "powerpoint_extractor", part: { name: "slides", counted: "slides_processed" } },
  { kind: "xlsx", type: "excel_extractor", part: { name: "sheets", counted: "sheets_processed" } }
] as const
