import * as CutText from "../../text/CutText.ts"
import * as ModelStandIn from "./standins/ModelStandIn.ts"
import type { Index } from "./standins/SearchStandIn.ts"

/** What an index got, and what it finds for each question: the document and the chunk that are nearest to it. */
export const report = (name: string, index: Index, questions: ReadonlyArray<string>): string => {
  const documents = [...index.documents.values()]
  const count = `The index ${name} has ${documents.length} ${documents.length === 1 ? "entry" : "entries"}.`
  const answers = questions.flatMap((question) => {
    const nearest = nearestTo(question, documents)
    if (nearest === undefined) return []
    const text = CutText.shortened(String(nearest["content"]).replaceAll(/\s+/g, " ").trim(), 160, " …")
    return [`  ${question}\n    ${String(nearest["path"])}: ${text}`]
  })
  return [count, ...answers].join("\n")
}

type Document = Readonly<Record<string, unknown>>

const nearestTo = (question: string, documents: ReadonlyArray<Document>): Document | undefined => {
  const wanted = ModelStandIn.vectorOf(question, ModelStandIn.usualDimensions)
  const nearness = ({ vector }: Document): number =>
    Array.isArray(vector)
      ? vector.reduce<number>((sum, each, place) => sum + Number(each) * (wanted[place] ?? 0), 0)
      : 0
  return documents.toSorted((one, other) => nearness(other) - nearness(one))[0]
}
