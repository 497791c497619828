import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Meter } from "../../executor/Usage.ts"
import type { CallError } from "../CallError.ts"
import type { OperationAddress, ServiceClient } from "../ServiceClients.ts"
import * as OperationState from "./OperationState.ts"

export interface AnalyzeRequest {
  readonly model: string
  readonly apiVersion: string
  readonly document: Uint8Array
  /** `markdown` or `text`. */
  readonly format: string
  readonly features: ReadonlyArray<string>
  readonly pages: string | null
  readonly locale: string | null
  readonly interval: Duration.Duration
  readonly within: Duration.Duration
  readonly address?: OperationAddress
  readonly meter?: Meter | undefined
}

const optional = <A>(schema: Schema.Schema<A>) => Schema.optionalWith(Schema.NullOr(schema), { default: () => null })
const list = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(schema), { default: () => [], nullable: true })

const Span = Schema.Struct({ offset: Schema.Number, length: Schema.Number })
const Text = Schema.Struct({ content: optional(Schema.String) })
const Line = Text

/** What the service found. Of its many fields those that are used here. */
const AnalyzeResult = Schema.Struct({
  content: optional(Schema.String),
  /** What the service could not read. */
  warnings: list(Schema.Struct({ message: optional(Schema.String) })),
  pages: list(
    Schema.Struct({
      pageNumber: Schema.Number,
      width: optional(Schema.Number),
      height: optional(Schema.Number),
      unit: optional(Schema.String),
      lines: list(Line)
    })
  ),
  paragraphs: list(Text),
  tables: list(
    Schema.Struct({
      rowCount: Schema.Number,
      columnCount: Schema.Number,
      cells: list(
        Schema.Struct({
          rowIndex: Schema.Number,
          columnIndex: Schema.Number,
          content: optional(Schema.String),
          kind: optional(Schema.String)
        })
      )
    })
  ),
  keyValuePairs: list(
    Schema.Struct({ key: Schema.optional(Schema.NullOr(Text)), value: Schema.optional(Schema.NullOr(Text)) })
  ),
  figures: list(
    Schema.Struct({
      id: optional(Schema.String),
      boundingRegions: list(Schema.Struct({ pageNumber: Schema.Number })),
      spans: list(Span),
      caption: Schema.optional(Schema.NullOr(Text))
    })
  )
})
export type AnalyzeResult = typeof AnalyzeResult.Type

const Answer = Schema.Struct({ analyzeResult: AnalyzeResult })
const Raw = Schema.Struct({ analyzeResult: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })

/** What was found, and the service's own form of it. */
export interface Analysis {
  readonly result: AnalyzeResult
  readonly raw: Readonly<Record<string, unknown>>
}

/** Models' names as the service has them: they become part of an address. */
export const isModelName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._~-]{1,63}$/.test(text)

/** Analyses one document, and waits until that has ended. Offsets are UTF-16 units, as those of JavaScript's texts. */
export const analyze = (client: ServiceClient, request: AnalyzeRequest): Effect.Effect<Analysis, CallError> =>
  client
    .operate(
      {
        operation: `analyze ${request.model}`,
        method: "POST",
        path: `/documentintelligence/documentModels/${encodeURIComponent(request.model)}:analyze`,
        query: {
          "api-version": request.apiVersion,
          stringIndexType: "utf16CodeUnit",
          outputContentFormat: request.format,
          ...(request.features.length === 0 ? {} : { features: request.features.join(",") }),
          ...(request.pages === null ? {} : { pages: request.pages }),
          ...(request.locale === null ? {} : { locale: request.locale })
        },
        bytes: { data: request.document, contentType: "application/octet-stream" },
        meter: request.meter,
        usage: ({ json }) => ({ model: request.model, pages: pagesOf(json) }),
        maxBytes: 256 * 1024 * 1024
      },
      {
        state: OperationState.stateOf,
        interval: request.interval,
        longest: Duration.max(request.interval, Duration.seconds(34)),
        within: request.within,
        ...(request.address === undefined ? {} : { address: request.address })
      }
    )
    .pipe(
      Effect.flatMap(({ json }) => {
        const result = Schema.decodeUnknownOption(Answer)(json)
        const raw = Schema.decodeUnknownOption(Raw)(json)
        return Option.isSome(result) && Option.isSome(raw)
          ? Effect.succeed({ result: result.value.analyzeResult, raw: raw.value.analyzeResult })
          : client.error("Unreadable", "answers in another shape than an analysis has.")
      })
    )

const Pages = Schema.Struct({ analyzeResult: Schema.Struct({ pages: list(Schema.Unknown) }) })

const pagesOf = (json: unknown): number =>
  Option.match(Schema.decodeUnknownOption(Pages)(json), {
    onNone: () => 0,
    onSome: ({ analyzeResult }) => analyzeResult.pages.length
  })
