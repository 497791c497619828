import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Project from "../../../src/cli/serve/Project.ts"
import * as Folders from "../../support/Folders.ts"

const read = (text: string) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    writeFileSync(join(folder, "contentflow.yaml"), text)
    return yield* Project.read(folder)
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

const mistakes: ReadonlyArray<readonly [text: string, message: RegExp]> = [
  ["vaults: [{folder: inbox}]", /contentflow\.yaml, line 1, column \d+, vaults\.0\.pipeline: /],
  ["vaults:\n  - {pipeline: a.yaml, foldr: x}", /line 2, column \d+, vaults\.0\.foldr: /],
  ["settings: {NUM_PROCESING_WORKERS: 4}", /line 1.*NUM_PROCESSING_WORKERS is meant/],
  ["vaults: [{name: a, pipeline: x}, {name: a, pipeline: y}]", /another vault is called a, too/],
  ["lookups: {crm/owners: {partition_key: /x}}", /line 1.*lookups\.crm\/owners: .*account\/database\/container/],
  ["lookups: {crm/sales/owners: {partition_key: x}}", /lookups\.crm\/sales\/owners\.partition_key: .*such as \/tenant/],
  ["vaults: [", /line 1/]
]

for (const [text, message] of mistakes) {
  it.effect(`refuses ${text.replaceAll("\n", " ")} with the place`, () =>
    Effect.map(Effect.flip(read(text)), (error) => assert.match(error.message, message))
  )
}

it.effect("reads accounts, settings and the partition keys of lookups", () =>
  Effect.gen(function* () {
    const project = yield* read(
      "settings: {log_level: DEBUG}\naccounts: {acme: /srv}\nlookups: {crm/sales/owners: {partition_key: /a/b}}"
    )
    assert.deepStrictEqual([...project.settings], [["LOG_LEVEL", "DEBUG"]])
    assert.deepStrictEqual([...project.accounts], [["acme", "/srv"]])
    assert.deepStrictEqual([...project.partitionKeys], [["crm/sales/owners", "/a/b"]])
    assert.deepStrictEqual(
      project.vaults.map(({ name }) => name),
      ["documents"]
    )
  })
)
