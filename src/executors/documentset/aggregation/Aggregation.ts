import * as Either from "effect/Either"
import * as ExactJson from "../../../domain/ExactJson.ts"
import * as CutText from "../../../text/CutText.ts"
import { isObject } from "../../../executor/DottedPath.ts"
import { operations, type Operation } from "./AggregateFunctions.ts"

/** One element of the setting `aggregations`. */
export interface Aggregation {
  readonly fieldPath: string
  readonly operations: ReadonlyArray<Operation>
  readonly key: string
}

/** Reads the setting. Left: the place of what is wrong in it, and why. */
export const readAll = (
  raw: ReadonlyArray<unknown>
): Either.Either<
  ReadonlyArray<Aggregation>,
  { readonly path: ReadonlyArray<string | number>; readonly message: string }
> => {
  const problem = (path: ReadonlyArray<string | number>, message: string) =>
    Either.left({ path: ["aggregations", ...path], message: `The setting aggregations ${message}` })
  const read: Array<Aggregation> = []
  const used = new Set<string>()
  for (const [index, each] of raw.entries()) {
    const fieldPath = isObject(each) ? each["field_path"] : undefined
    if (!isObject(each) || typeof fieldPath !== "string" || fieldPath === "") {
      return problem([index, "field_path"], `needs a field_path in element ${index + 1}.`)
    }
    const names = namesOf(each["operations"])
    if (names === undefined) {
      return problem([index, "operations"], `needs a list of operations for ${fieldPath}.`)
    }
    const known = operations.filter((operation) => names.includes(operation))
    const unknown = names.find((name) => !operations.some((operation) => operation === name))
    if (unknown !== undefined) {
      return problem(
        [index, "operations"],
        `has the unknown operation ${CutText.cut(ExactJson.stringify(unknown) ?? "", 40)} for ${fieldPath}; there are ${operations.join(", ")}.`
      )
    }
    const key = keyOf(each["output_key"], fieldPath, used)
    if (key === undefined) {
      return problem(
        [index, "output_key"],
        `would write two results under the same key for ${fieldPath}; give output_key a name of its own.`
      )
    }
    used.add(key)
    read.push({ fieldPath, operations: known, key })
  }
  return Either.right(read)
}

/** A list, or a comma list as text. */
const namesOf = (raw: unknown): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(raw)) return raw
  return typeof raw === "string" && raw.trim() !== "" ? raw.split(",").map((name) => name.trim()) : undefined
}

/** The name that is given, else the path's last part, else (where another result has that) the whole path. */
const keyOf = (given: unknown, fieldPath: string, used: ReadonlySet<string>): string | undefined => {
  if (typeof given === "string" && given !== "") return used.has(given) ? undefined : given
  return [fieldPath.split(".").at(-1) ?? fieldPath, fieldPath].find((name) => !used.has(name))
}
