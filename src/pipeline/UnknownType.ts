import type { Catalog } from "../executor/Catalog.ts"

/** What to say about a type that the catalog does not know: the nearest known one, or what took the place of an old one. */
export const describe = (type: string, catalog: Catalog["Type"]): string => {
  const shown = JSON.stringify(type.slice(0, 100))
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
  const wanted = type.trim().toLowerCase().replaceAll("-", "_").slice(0, 100)
  let best: { readonly type: string; readonly distance: number } | undefined
  for (const known of catalog.all) {
    const distance = distanceOf(wanted, known.type)
    if (distance <= Math.max(2, wanted.length / 5) && (best === undefined || distance < best.distance)) {
      best = { type: known.type, distance }
    }
  }
  return best === undefined ? undefined : `Did you mean ${best.type}?`
}

/** Letters to add, remove or exchange. */
const distanceOf = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
