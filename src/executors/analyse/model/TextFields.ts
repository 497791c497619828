import * as Either from "effect/Either"
import { type Content, withData } from "../../../domain/Content.ts"
import { isObject } from "../../../executor/DottedPath.ts"

/** The texts that an input field names, and how results get beside them. */
export interface TextFields {
  readonly texts: ReadonlyArray<string>
  /** True when the field walks through a list: the results are then in its elements. */
  readonly isList: boolean
  /** The item with these values, one for each text, under these keys; a text that is given takes the place of the one that was read. */
  readonly write: (
    values: ReadonlyArray<Readonly<Record<string, unknown>>>,
    texts?: ReadonlyArray<string | undefined>
  ) => Content
}

/** More elements than this are an accident. */
export const maxTexts = 200_000

/** Reads `a.b`, or `a.b[].c` with any number of lists. Left says what is missing. */
export const read = (item: Content, path: string): Either.Either<TextFields, string> => {
  const steps = stepsOf(path)
  if (steps.some(({ key }) => key === "")) return Either.left(`input_field ${path} is no path`)
  const isList = steps.some((step) => step.isList)
  const texts: Array<string> = []
  const problem = collect(item.data, steps, "data", texts)
  if (problem !== undefined) return Either.left(problem)
  return Either.right({
    texts,
    isList,
    write: (values, replacements = []) => {
      let next = 0
      const data = atLeaves(item.data, steps, (holder, key) => {
        const index = next
        next += 1
        const text = replacements[index]
        return { ...holder, ...(text === undefined ? {} : { [key]: text }), ...(isList ? values[index] : {}) }
      })
      return withData({ ...item, data }, isList ? {} : (values[0] ?? {}))
    }
  })
}

/** What of the item the texts are read from: its shape with nothing but them. Null where there is none. */
export const inputOf = (item: Content, path: string): unknown => projected(item.data, stepsOf(path)) ?? null

const projected = (value: unknown, [step, ...further]: ReadonlyArray<Step>): unknown => {
  if (step === undefined) return value
  if (!isObject(value) || !Object.hasOwn(value, step.key)) return undefined
  const next = value[step.key]
  return step.isList && Array.isArray(next)
    ? { list: next.map((element: unknown) => projected(element, further)) }
    : { value: projected(next, further) }
}

/** The item without these keys beside its texts, and without the texts. */
export const strip = (item: Content, path: string, keys: ReadonlyArray<string>, withoutTexts: boolean): Content => {
  const steps = stepsOf(path)
  const isList = steps.some((step) => step.isList)
  const without = (value: Readonly<Record<string, unknown>>, names: ReadonlyArray<string>) =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
  const data = atLeaves(item.data, steps, (holder, key) =>
    without(holder, [...(withoutTexts ? [key] : []), ...(isList ? keys : [])])
  )
  return { ...item, data: isList ? data : without(data, keys) }
}

const stepsOf = (path: string): ReadonlyArray<Step> =>
  path.split(".").map((step) => ({ key: step.replace(/\[\]$/, ""), isList: step.endsWith("[]") }))

interface Step {
  readonly key: string
  readonly isList: boolean
}

const collect = (
  value: unknown,
  [step, ...further]: ReadonlyArray<Step>,
  place: string,
  texts: Array<string>
): string | undefined => {
  if (step === undefined) return undefined
  if (!isObject(value)) return `${place} is no mapping`
  const next = Object.hasOwn(value, step.key) ? value[step.key] : undefined
  const name = `${place}.${step.key}`
  if (step.isList) {
    if (!Array.isArray(next)) return next === undefined || next === null ? `${name} is missing` : `${name} is no list`
    for (const [index, element] of next.entries()) {
      if (further.length === 0) {
        if (texts.length >= maxTexts) return `${name} has more than ${maxTexts} texts`
        if (isBytes(element)) return `${name}[${index}] holds bytes and no text: an extractor belongs before this step`
        texts.push(textOf(element))
        continue
      }
      const problem = collect(element, further, `${name}[${index}]`, texts)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  if (further.length > 0)
    return next === undefined || next === null ? `${name} is missing` : collect(next, further, name, texts)
  if (next === undefined || next === null) return `${name} is missing`
  if (isBytes(next)) return `${name} holds bytes and no text: an extractor belongs before this step`
  if (texts.length >= maxTexts) return `data has more than ${maxTexts} texts`
  texts.push(textOf(next))
  return undefined
}

/** The mapping with each mapping that holds a text replaced, in the order in which the texts were read. */
const atLeaves = (
  value: Readonly<Record<string, unknown>>,
  [step, ...further]: ReadonlyArray<Step>,
  replace: (holder: Readonly<Record<string, unknown>>, key: string) => Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> => {
  if (step === undefined) return value
  const next = Object.hasOwn(value, step.key) ? value[step.key] : undefined
  if (!step.isList) {
    if (further.length === 0) return replace(value, step.key)
    return isObject(next) ? { ...value, [step.key]: atLeaves(next, further, replace) } : value
  }
  if (!Array.isArray(next)) return value
  return {
    ...value,
    [step.key]: next.map((element: unknown) =>
      // A bare text has no place for a result beside it.
      further.length === 0
        ? replace({ text: element }, "text")
        : isObject(element)
          ? atLeaves(element, further, replace)
          : element
    )
  }
}

/** Values that are no text are taken in their JSON form, as people would read them. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const isBytes = (value: unknown): boolean => value instanceof Uint8Array || value instanceof ArrayBuffer

/** `chunks[].embedding` of `chunks[].text` is `embedding`. Undefined when it names another list. */
export const keyIn = (inputField: string, outputField: string): string | undefined => {
  if (!outputField.includes("[]")) return outputField
  const parent = inputField.slice(0, inputField.lastIndexOf("[]") + 2)
  const key = outputField.slice(parent.length + 1)
  return outputField.startsWith(`${parent}.`) && key !== "" && !/[.[\]]/.test(key) ? key : undefined
}
