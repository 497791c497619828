import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

/**
 * A defect that another file tests: fails when that file no longer has a test of this name. Names that are made from a table are
 * written as they stand there, with their `${…}`.
 */
export const pointer = (title: string, file: string, ...names: ReadonlyArray<string>): void => {
  it(`${title} (${file})`, () => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")
    const known = [...text.matchAll(/\b(?:it|test)(?:\.\w+)?\(\s*(["`])(.*?)\1,/g)].map(([, , name]) => name)
    for (const name of names) assert.include(known, name, `${file} has no such test`)
  })
}
