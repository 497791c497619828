import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Pipeline } from "../domain/Pipeline.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import { PipelineStore } from "./PipelineStore.ts"

/** The {@link PipelineStore} over a container of documents. */
export const make = (container: DocumentContainer.DocumentContainer): PipelineStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Pipeline)
  const versioned = (document: DocumentContainer.Document, etag: string) =>
    Either.map(decode(document), (pipeline) => Option.some({ pipeline, etag }))

  return PipelineStore.of({
    find: (id, known) => {
      // An ETag only means something for the document that it came with.
      const candidate = known?.pipeline.id === id ? known : undefined
      return Effect.flatMap(
        container.read(id, candidate?.etag),
        DocumentContainer.Reading.$match({
          Found: ({ document, etag }) => versioned(document, etag),
          Unchanged: () => Either.right(Option.fromNullable(candidate)),
          Missing: () => Either.right(Option.none())
        })
      )
    },
    findByName: (name) =>
      Effect.flatMap(container.where({ name }), (documents) => {
        // The API keeps names unique only when it creates a pipeline; should two share one, every worker takes the same.
        const [first] = documents.toSorted((a, b) => (String(a["id"]) < String(b["id"]) ? -1 : 1))
        return first === undefined ? Either.right(Option.none()) : versioned(first, String(first["_etag"]))
      }),
    all: Effect.map(container.where({}), (documents) =>
      documents.map((document) =>
        Either.map(decode(document), (pipeline) => ({ pipeline, etag: String(document["_etag"]) }))
      )
    )
  })
}
