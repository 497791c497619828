import { isObject } from "../../../executor/DottedPath.ts"
import { glob, isGlob } from "./Glob.ts"
import * as Nesting from "./Nesting.ts"

export interface Rule {
  readonly mode: "include" | "exclude"
  /** Names, paths and patterns. Lists are passed through: `people.ssn` is the `ssn` of each of them. */
  readonly fields: ReadonlyArray<string>
  readonly delimiter: string
  /** False: one flat object whose keys are whole paths. */
  readonly nested: boolean
  /** Top-level keys that stay whatever the fields say. */
  readonly always: ReadonlySet<string>
}

/** A rule, ready for many items. Throws `NestedTooDeeply`. */
export interface Selection {
  /** The data that is left, in its order; null is a value like any other. */
  readonly select: (data: Fields) => Fields
  /** How many paths are left and how many are not; those inside lists are not counted. */
  readonly count: (data: Fields) => { readonly selected: number; readonly removed: number }
  /** The first of the fields without wildcard that `data` does not have. */
  readonly missing: (data: Fields) => string | undefined
}

export const make = (rule: Rule): Selection => {
  const meets = matcherOf(rule.fields)
  const join = (path: string | null, key: string): string => (path === null ? key : `${path}${rule.delimiter}${key}`)
  const isCore = (path: string | null, key: string): boolean => path === null && rule.always.has(key)
  const isChosen = (path: string | null, key: string): boolean => isCore(path, key) || meets(join(path, key)).length > 0

  const included = (value: Fields, path: string | null, depth: number): Fields =>
    Object.fromEntries(
      entriesOf(value, depth).flatMap(([key, each]) => {
        if (isChosen(path, key)) return [[key, each] as const]
        const inner = includedInside(each, join(path, key), depth + 1)
        return inner === undefined ? [] : [[key, inner] as const]
      })
    )

  const includedInside = (value: unknown, path: string, depth: number): unknown => {
    Nesting.guard(depth)
    if (Array.isArray(value)) {
      const kept = value
        .map((each: unknown) => includedInside(each, path, depth + 1))
        .filter((each) => each !== undefined)
      return kept.length > 0 ? kept : undefined
    }
    const inner = isObject(value) ? included(value, path, depth) : {}
    return Object.keys(inner).length > 0 ? inner : undefined
  }

  /** What names a core key itself does not reach into it, so that `*` leaves the whole of it; `id.secret` still takes its part. */
  const spared = (path: string | null, key: string): ReadonlySet<string> =>
    isCore(path, key) ? new Set(meets(key)) : none

  const isRemoved = (path: string | null, key: string, except: ReadonlySet<string>): boolean =>
    !isCore(path, key) && meets(join(path, key)).some((field) => !except.has(field))

  const remaining = (value: unknown, path: string | null, except: ReadonlySet<string>, depth: number): unknown => {
    if (Array.isArray(value)) {
      Nesting.guard(depth)
      return value.map((each: unknown) => remaining(each, path, except, depth + 1))
    }
    if (!isObject(value)) return value
    return Object.fromEntries(
      entriesOf(value, depth).flatMap(([key, each]) =>
        isRemoved(path, key, except)
          ? []
          : [[key, remaining(each, join(path, key), path === null ? spared(path, key) : except, depth + 1)] as const]
      )
    )
  }

  /** A chosen object is one entry, unless something in it is chosen, too: then it is all its leaves. */
  const flatIncluded = (value: Fields, path: string | null, depth: number): ReadonlyArray<Entry> =>
    entriesOf(value, depth).flatMap(([key, each]) => {
      const at = join(path, key)
      if (isChosen(path, key))
        return isObject(each) && hasChosen(each, at, depth + 1) ? leaves(each, at, depth + 1) : [[at, each]]
      if (isObject(each)) return flatIncluded(each, at, depth + 1)
      const inner = includedInside(each, at, depth + 1)
      return inner === undefined ? [] : [[at, inner]]
    })

  const hasChosen = (value: Fields, path: string, depth: number): boolean =>
    entriesOf(value, depth).some(
      ([key, each]) => isChosen(path, key) || (isObject(each) && hasChosen(each, join(path, key), depth + 1))
    )

  const leaves = (value: Fields, path: string | null, depth: number): ReadonlyArray<Entry> =>
    entriesOf(value, depth).flatMap(([key, each]): ReadonlyArray<Entry> => {
      const at = join(path, key)
      return isObject(each) && Object.keys(each).length > 0 ? leaves(each, at, depth + 1) : [[at, each]]
    })

  const walk = (value: Fields, path: string | null, depth: number, visit: Visit): void => {
    for (const [key, each] of entriesOf(value, depth)) {
      if (visit(path, key) && isObject(each)) walk(each, join(path, key), depth + 1, visit)
    }
  }

  const exclude = (data: Fields): Fields => {
    const left = remaining(data, null, none, 0)
    return isObject(left) ? left : {}
  }

  const countPaths = (data: Fields): number => {
    let count = 0
    walk(data, null, 0, () => {
      count += 1
      return true
    })
    return count
  }

  return {
    select: (data) => {
      if (rule.mode === "include")
        return rule.nested ? included(data, null, 0) : Object.fromEntries(flatIncluded(data, null, 0))
      return rule.nested ? exclude(data) : Object.fromEntries(leaves(exclude(data), null, 0))
    },
    count: (data) => {
      const all = countPaths(data)
      let selected = 0
      if (rule.mode === "exclude") selected = countPaths(exclude(data))
      else {
        walk(data, null, 0, (path, key) => {
          if (isChosen(path, key)) selected += 1
          return true
        })
      }
      return { selected, removed: all - selected }
    },
    missing: (data) => {
      const absent = new Set(rule.fields.filter((field) => !isGlob(field)))
      const look = (value: unknown, path: string | null, depth: number): void => {
        if (Array.isArray(value)) {
          Nesting.guard(depth)
          for (const each of value) look(each, path, depth + 1)
        } else if (isObject(value)) {
          for (const [key, each] of entriesOf(value, depth)) {
            absent.delete(join(path, key))
            look(each, join(path, key), depth + 1)
          }
        }
      }
      look(data, null, 0)
      return absent.values().next().value
    }
  }
}

type Fields = Readonly<Record<string, unknown>>
type Entry = readonly [path: string, value: unknown]
/** Whether to go on inside. */
type Visit = (path: string | null, key: string) => boolean

const none: ReadonlySet<string> = new Set()

const entriesOf = (value: Fields, depth: number): ReadonlyArray<Entry> => {
  Nesting.guard(depth)
  return Object.entries(value)
}

/** The fields that a path meets. */
const matcherOf = (fields: ReadonlyArray<string>): ((path: string) => ReadonlyArray<string>) => {
  const exact = new Set(fields.filter((field) => !isGlob(field)))
  const globs = [...new Set(fields)].filter(isGlob).map((field) => ({ field, meets: glob(field) }))
  return (path) => {
    const met = globs.filter(({ meets }) => meets(path)).map(({ field }) => field)
    return exact.has(path) ? [...met, path] : met
  }
}
