import type { ContentIdentifier } from "../../../domain/Content.ts"
import { isObject } from "../../../executor/DottedPath.ts"
import * as Template from "./Template.ts"

/**
 * What an expression of `source_id_mappings` gives: `id.path`, `{id.container}/{id.path}`, the whole identifier as an object for `id`, else the text itself.
 * Null or undefined where the identifier lacks a part that is asked for.
 */
export const valueOf = (
  id: ContentIdentifier | null,
  expression: string,
  templates: boolean,
  delimiter: string
): unknown => {
  if (templates && expression.includes("{")) {
    return Template.fill(expression, (name) => (name === "id" ? id : undefined))
  }
  if (expression === "id" || expression === "content.id" || expression === "id.") return id === null ? null : { ...id }
  if (!expression.startsWith("id.")) return expression
  let value: unknown = id
  for (const key of expression.slice(3).split(delimiter)) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
