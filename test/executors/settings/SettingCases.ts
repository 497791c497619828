import { assert, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { Executor } from "../../../src/executor/Executor.ts"

export type Settings = Readonly<Record<string, unknown>>

/** A type whose every setting has cases. */
export interface Described {
  readonly executor: Pick<Executor<never>, "settings" | "type">
  /** What is wrong with settings, in words. */
  readonly problems: (settings: Settings) => string
  /** With which a node can be made. */
  readonly required: Settings
  /** What the original's catalog has. */
  readonly defaults: Settings
  readonly values: Readonly<Record<string, ReadonlyArray<{ readonly value: unknown }>>>
}

export const problemsOf =
  (executor: {
    readonly prepare: (settings: Settings) => Either.Either<unknown, ReadonlyArray<{ message: string }>>
  }) =>
  (settings: Settings): string =>
    Either.match(executor.prepare(settings), {
      onRight: () => "",
      onLeft: (problems) => problems.map(({ message }) => message).join(" ")
    })

/** The list of cases is whole, and each setting refuses what it must. */
export const checked = ({ defaults, executor, problems, required, values }: Described): void => {
  const { settings, type } = executor

  it(`${type}: every setting has a case, each option and both booleans, too`, () => {
    assert.deepStrictEqual(Object.keys(values).toSorted(), Object.keys(settings).toSorted())
    for (const [name, info] of Object.entries(settings)) {
      const found = (values[name] ?? []).map(({ value }) => value)
      assert.isNotEmpty(found, name)
      const wanted = info.type === "boolean" ? [true, false] : (info.options ?? [])
      assert.includeMembers(found, [...wanted], name)
    }
  })

  it(`${type}: defaults are the original's`, () => {
    for (const [name, value] of Object.entries(defaults)) {
      const info = settings[name]
      assert.deepStrictEqual(info?.required ? "required" : info?.default, value, name)
    }
  })

  it(`${type}: what is missing, out of bounds or no option is refused by name`, () => {
    assert.strictEqual(problems(required), "")
    for (const [name, info] of Object.entries(settings)) {
      const named = new RegExp(`The setting ${name} `)
      if (info.required) assert.match(problems({ ...required, [name]: null }), named)
      if (info.min !== undefined) assert.match(problems({ ...required, [name]: info.min - 1 }), named)
      if (info.max !== undefined) assert.match(problems({ ...required, [name]: info.max + 1 }), named)
      if (info.options !== undefined) assert.match(problems({ ...required, [name]: "no such option" }), named)
      if (info.type === "integer" || info.type === "number") {
        assert.match(problems({ ...required, [name]: "many" }), named)
      }
      if (info.type === "boolean") assert.match(problems({ ...required, [name]: [] }), named)
    }
  })
}
