import * as CutText from "../text/CutText.ts"
import type { Catalog } from "../executor/Catalog.ts"
import * as NearestName from "./NearestName.ts"

/** What to say about a type that the catalog does not know: the nearest known one, or what took the place of an old one. */
export const describe = (type: string, catalog: Catalog["Type"]): string => {
  const shown = JSON.stringify(CutText.cut(type, 100))
  const help = replaced.get(type) ?? nearest(type, catalog)
  return `The executor type ${shown} is unknown.${help === undefined ? "" : ` ${help}`}`
}

/** Names from old samples and READMEs that no alias can stand for (executors.md 1.3). */
const replaced: ReadonlyMap<string, string> = new Map([
  ["unknown", "The canvas writes this for a node whose type it does not know; choose a type for it."],
  ["subworkflow", "Use subpipeline with the setting `pipeline`; splitting is not part of it."],
  ["conditional_router", "Use conditional edges: `to: [{target, condition}]`."],
  ["custom_ai_prompt", "Use azure_openai_agent."],
  ["local_file_reader", "Use content_retriever."],
  ["parallel_executor", "Use edges of the type parallel and join."],
  ["result_aggregator", "Use fan_in_aggregator."],
  ["batch_aggregator", "Use fan_in_aggregator."],
  ["batch_processor", "Use for_each_content, or the setting max_concurrent of the executor itself."]
])

const nearest = (type: string, catalog: Catalog["Type"]): string | undefined => {
  const name = NearestName.find(
    type,
    catalog.all.map((known) => known.type)
  )
  return name === undefined ? undefined : `Did you mean ${name}?`
}
