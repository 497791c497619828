import * as Option from "effect/Option"
import * as CutText from "../text/CutText.ts"
import type { Catalog } from "../executor/Catalog.ts"
import * as NearestName from "../text/NearestName.ts"

/** What to say about a type that the catalog does not know: the nearest known one, or what took the place of an old one. */
export const describe = (type: string, catalog: Catalog["Type"]): string => {
  const shown = JSON.stringify(CutText.cut(type, 100))
  const help = instead(type, catalog) ?? nearest(type, catalog)
  return `The executor type ${shown} is unknown.${help === undefined ? "" : ` ${help}`}`
}

/** Names from old samples and READMEs that no alias can stand for, and what to use instead. */
const replaced: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  ["unknown", { text: "The canvas writes this for a node whose type it does not know; choose a type for it." }],
  [
    "subworkflow",
    { type: "subpipeline", text: "Use subpipeline with the setting `pipeline`; splitting is not part of it." }
  ],
  ["conditional_router", { text: "Use conditional edges: `to: [{target, condition}]`." }],
  ["custom_ai_prompt", { type: "azure_openai_agent", text: "Use azure_openai_agent." }],
  ["local_file_reader", { type: "content_retriever", text: "Use content_retriever." }],
  ["parallel_executor", { text: "Use edges of the type parallel and join." }],
  ["result_aggregator", { type: "fan_in_aggregator", text: "Use fan_in_aggregator." }],
  ["batch_aggregator", { type: "fan_in_aggregator", text: "Use fan_in_aggregator." }],
  [
    "batch_processor",
    { type: "for_each_content", text: "Use for_each_content, or the setting max_concurrent of the executor itself." }
  ]
])

interface Advice {
  readonly text: string
  /** The type that is advised, if any; an embedding program's catalog may lack it. */
  readonly type?: string
}

const instead = (name: string, catalog: Catalog["Type"]): string | undefined => {
  const advice = replaced.get(name)
  if (advice === undefined) return undefined
  return advice.type === undefined || Option.isSome(catalog.find(advice.type)) ? advice.text : undefined
}

const nearest = (type: string, catalog: Catalog["Type"]): string | undefined => {
  const name = NearestName.find(
    type,
    catalog.all.map((known) => known.type)
  )
  return name === undefined ? undefined : `Did you mean ${name}?`
}
