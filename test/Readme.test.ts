import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { version } from "../src/cli/Version.ts"
import { markdownTable } from "../src/config/Documentation.ts"

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

describe("README", () => {
  it("lists every setting as the table of variables does", () => {
    const [, settings] = /<!-- settings:.*?-->([\s\S]*?)<!-- end of settings -->/.exec(read("README.md")) ?? []
    assert.strictEqual(settings?.trim(), markdownTable().trim())
  })

  it("names only files that exist", () => {
    for (const [, path] of read("README.md").matchAll(/`((?:src|test)\/[\w./-]+\.(?:ts|md))`/g)) {
      assert.doesNotThrow(() => read(path ?? ""), path)
    }
  })

  it("and package.json and the command line agree on the version", () => {
    assert.strictEqual(JSON.parse(read("package.json")).version, version)
    assert.include(read("CHANGELOG.md"), `## ${version}`)
  })
})
