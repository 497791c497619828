import type { Content, ExecutorLogEntry } from "../domain/Content.ts"
import * as JsonReader from "../domain/JsonReader.ts"

/**
 * What a step changed in an item, in a form that JSON carries and that other items with the same input can take over. Only changed values are
 * in it, however deep they lie: what a document has of its own beside them stays.
 */
export type StepChange = ReadonlyArray<unknown>

interface Changed {
  readonly id: Content["id"]
  readonly data: Content["data"]
  readonly summary_data: Content["summary_data"]
}

/**
 * The change; undefined where a value is none that JSON carries and gives back as it was. Keys that the step `writes` are in it also where they
 * have the value that they had before, which in another item may be another.
 */
export const between = (
  before: Content,
  after: Content,
  writes: ReadonlySet<string> = new Set()
): StepChange | undefined => {
  const logs = after.executor_logs.slice(before.executor_logs.length)
  const isContinued = before.executor_logs.every((entry, index) => entry === after.executor_logs[index])
  if (!isContinued) return undefined
  try {
    return [changeOf(partsOf(before), partsOf(after), writes) ?? null, logs.map((entry) => storedOf(entry))]
  } catch (error) {
    if (error instanceof NotStorable) return undefined
    throw error
  }
}

/** The item with the change; undefined where it is none, or does not fit the item. */
export const apply = (
  item: Content,
  change: unknown
): { readonly item: Content; readonly logs: ReadonlyArray<ExecutorLogEntry> } | undefined => {
  if (!Array.isArray(change) || change.length !== 2 || !Array.isArray(change[1])) return undefined
  const [change_, logs] = change as [unknown, ReadonlyArray<unknown>]
  try {
    const changed = change_ === null ? partsOf(item) : (applied(partsOf(item), change_) as Changed)
    const usage = item.summary_data["usage"]
    const summary_data = usage === undefined ? changed.summary_data : { ...changed.summary_data, usage }
    return {
      item: { ...item, id: changed.id, data: changed.data, summary_data },
      logs: logs.map((entry) => restored(entry) as ExecutorLogEntry)
    }
  } catch (error) {
    if (error instanceof DoesNotFit) return undefined
    throw error
  }
}

/** What was used is told of the run that used it. */
const partsOf = ({ data, id, summary_data: { usage: _, ...summary_data } }: Content): Changed => ({
  id,
  data,
  summary_data
})

class NotStorable extends Error {}
class DoesNotFit extends Error {}

// A change is [0, value], [1, {key: change}, [removed keys]] of a mapping, or [2, [[index, change]]] of a list as long as before.

const changeOf = (before: unknown, after: unknown, writes: ReadonlySet<string>): StepChange | undefined => {
  if (Object.is(before, after)) return undefined
  if (isPlain(before) && isPlain(after)) {
    const changes: Array<readonly [string, StepChange]> = []
    for (const [key, value] of Object.entries(after)) {
      if (value === undefined) continue
      const isWritten = writes.has(key) || !Object.hasOwn(before, key)
      const change = isWritten ? [0, storedOf(value)] : changeOf(before[key], value, writes)
      if (change !== undefined) changes.push([key, change])
    }
    const removed = Object.keys(before).filter((key) => after[key] === undefined || !Object.hasOwn(after, key))
    return changes.length === 0 && removed.length === 0 ? undefined : [1, Object.fromEntries(changes), removed]
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    const changes = after.flatMap((value: unknown, index) => {
      const change = changeOf(before[index], value, writes)
      return change === undefined ? [] : [[index, change]]
    })
    return changes.length === 0 ? undefined : [2, changes]
  }
  return [0, storedOf(after)]
}

const applied = (value: unknown, change: unknown): unknown => {
  if (!Array.isArray(change)) throw new DoesNotFit()
  const [kind, what, removed] = change as ReadonlyArray<unknown>
  if (kind === 0) return restored(what)
  if (kind === 1) {
    if (!isPlain(value) || !JsonReader.isFields(what) || !Array.isArray(removed)) throw new DoesNotFit()
    const result = { ...value }
    for (const key of removed as ReadonlyArray<string>) delete result[key]
    for (const [key, each] of Object.entries(what)) set(result, key, applied(result[key], each))
    return result
  }
  if (kind !== 2 || !Array.isArray(value) || !Array.isArray(what)) throw new DoesNotFit()
  const result: Array<unknown> = [...(value as ReadonlyArray<unknown>)]
  for (const [index, each] of what as ReadonlyArray<readonly [number, unknown]>) {
    if (index >= result.length) throw new DoesNotFit()
    result[index] = applied(result[index], each)
  }
  return result
}

// --- Values that JSON has not ---

/** Stands before what JSON has not: [mark, kind, text]. A list that begins like this gets the mark once more. */
const mark = "\u0000"

const storedOf = (value: unknown): unknown => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      if (!Number.isFinite(value)) throw new NotStorable()
      return value
    case "bigint":
      return [mark, "i", value.toString()]
    case "undefined":
      return null
    case "object":
      break
    default:
      throw new NotStorable()
  }
  if (value === null) return null
  if (Array.isArray(value)) {
    const list = value.map(storedOf)
    return list[0] === mark ? [mark, "l", list] : list
  }
  if (value instanceof Uint8Array) {
    return [mark, "b", Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")]
  }
  if (!isPlain(value)) throw new NotStorable()
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, storedOf(each)]]))
  )
}

const restored = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const [first, kind, what] = value as ReadonlyArray<unknown>
    if (first !== mark) return value.map(restored)
    if (kind === "l" && Array.isArray(what)) return what.map(restored)
    if (kind === "i" && typeof what === "string" && /^-?\d{1,4300}$/.test(what)) return BigInt(what)
    if (kind === "b" && typeof what === "string") return new Uint8Array(Buffer.from(what, "base64"))
    throw new DoesNotFit()
  }
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, restored(each)])) : value
}

/** `__proto__` is a key like any other. */
const set = (target: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
