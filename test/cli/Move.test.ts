import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as AccountNames from "../../src/cli/move/AccountNames.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import * as CosmosServer from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { cli, folder } from "./Captured.ts"

const documents = `# Of any kind.
pipeline:
  name: Documents
  executors:
    - id: discover
      type: azure_blob_input_discovery
      settings: { blob_storage_account: local, blob_container_name: inbox } # the folder
    - { id: fetch, type: content_retriever }
    - { id: extract, type: document_extractor }
    - id: write
      type: azure_blob_output
      settings: { storage_account_name: "local", container_name: output }
  edges: [{ from: discover, to: fetch }, { from: fetch, to: extract }, { from: extract, to: write }]
`

const short = "pipeline: {name: Short, executors: [{id: a, type: text_extractor}], edges: []}"

const project = {
  "contentflow.yaml": `# Mine
vaults:
  - { name: My documents, folder: inbox, pipeline: pipelines/documents.yaml } # first
  - { name: texts, folder: Some Texts, pipeline: short.yaml, save_execution_output: true }
`,
  "pipelines/documents.yaml": documents,
  "short.yaml": short
}

/** An installation, and the command line with its settings. */
const installed = (name: string) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    const env = { ...installation.env, BLOB_STORAGE_ACCOUNT_NAME: "acme", BLOB_STORAGE_CONTAINER_NAME: "content" }
    const { pipelines, vaults } = installation.documents
    const all = (container: typeof pipelines) =>
      Effect.map(
        Effect.forEach([true, false], (enabled) => container.where({ enabled })),
        (found) => found.flat()
      )
    return {
      ...installation,
      run: (...args: ReadonlyArray<string>) => cli(args, env),
      pipelines: Effect.orDie(all(pipelines)),
      vaults: Effect.orDie(all(vaults))
    }
  })

const named = (found: ReadonlyArray<Document>, name: string): Document => {
  const document = found.find((each) => each["name"] === name)
  assert.isDefined(document, name)
  return document ?? {}
}

it.layer(Emulators.emulators)("push", (it) => {
  it.scoped(
    "tells first what it would write, then writes it as the API does, and has nothing to do the next time",
    () =>
      Effect.gen(function* () {
        const { pipelines, run, vaults } = yield* installed("push-first")
        const files = yield* folder(project)
        const dry = yield* run("push", files.path)
        assert.strictEqual(dry.code, 0, dry.stderr)
        assert.match(dry.stdout, /create +pipeline +Documents +pipelines\/documents\.yaml/)
        assert.match(dry.stdout, /create +vault +My documents +acme\/inbox/)
        assert.match(dry.stdout, /Nothing was written yet: --yes does it/)
        assert.deepStrictEqual([...(yield* pipelines), ...(yield* vaults)], [])

        const done = yield* run("push", files.path, "--yes")
        assert.strictEqual(done.code, 0, done.stderr)
        assert.match(done.stdout, /Done: 4 written.*the vaults list acme\/inbox, acme\/some-texts/)
        const pipeline = named(yield* pipelines, "Documents")
        assert.match(String(pipeline["id"]), /^documents_[0-9a-f]{8}$/)
        // The text with its comments, and the account in the folder's place.
        assert.strictEqual(pipeline["yaml"], documents.replace(": local,", ": acme,").replace('"local"', '"acme"'))
        assert.deepInclude(pipeline, { nodes: null, edges: null, tags: [], version: "1.0", enabled: true, retries: 3 })
        const vault = named(yield* vaults, "texts")
        assert.match(String(vault["id"]), /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
        const texts = named(yield* pipelines, "Short")
        assert.deepInclude(vault, {
          pipeline_id: texts["id"],
          pipeline_name: "Short",
          save_execution_output: true,
          enabled: true
        })
        // One without discovery gets it, for the container that its folder becomes.
        assert.match(String(texts["yaml"]), /blob_storage_account: acme\n +blob_container_name: some-texts\n/)

        const again = yield* run("push", files.path, "--yes")
        assert.strictEqual(again.code, 0, again.stderr)
        assert.match(again.stdout, /Everything is there already/)
      })
  )

  it.scoped("overwrites nothing unless it is told to, and keeps what others wrote beside it", () =>
    Effect.gen(function* () {
      const { documents: containers, pipelines, run, vaults } = yield* installed("push-replace")
      const files = yield* folder(project)
      yield* run("push", files.path, "--yes")
      const before = named(yield* pipelines, "Documents")
      yield* containers.pipelines.patch(String(before["id"]), { tags: ["ours"], nodes: [{ id: "n" }], timeout: 60 }, {})
      writeFileSync(files.at("pipelines/documents.yaml"), documents.replace("# Of any kind.", "# Of some kinds."))

      const dry = yield* run("push", files.path)
      assert.strictEqual(dry.code, 0, dry.stderr)
      assert.match(dry.stdout, /replace +pipeline +Documents/)
      assert.match(dry.stdout, /--yes --replace does it/)
      const refused = yield* run("push", files.path, "--yes")
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /Nothing was written: 1 of these exist already and differ.*--replace/)
      assert.strictEqual(named(yield* pipelines, "Documents")["yaml"], before["yaml"])

      const done = yield* run("push", files.path, "--yes", "--replace")
      assert.strictEqual(done.code, 0, done.stderr)
      const after = named(yield* pipelines, "Documents")
      assert.include(String(after["yaml"]), "# Of some kinds.")
      assert.deepInclude(after, {
        id: before["id"],
        tags: ["ours"],
        timeout: 60,
        nodes: null,
        created_at: before["created_at"]
      })

      // A vault is bound to its pipeline for good.
      yield* containers.vaults.patch(String(named(yield* vaults, "texts")["id"]), { pipeline_id: "another" }, {})
      const bound = yield* run("push", files.path, "--yes", "--replace")
      assert.strictEqual(bound.code, 1)
      assert.match(bound.stdout, /conflict +vault +texts +it is bound to the pipeline Short there/)
      assert.match(bound.stderr, /Nothing was written: 1 of these can't be/)
    })
  )

  it.scoped("refuses what is wrong before it writes anything, and tells what its identity may not do", () =>
    Effect.gen(function* () {
      const { pipelines, run } = yield* installed("push-wrong")
      const broken = yield* folder({ ...project, "short.yaml": short.replace("text_extractor", "text_extracto") })
      const wrong = yield* run("push", broken.path, "--yes")
      assert.strictEqual(wrong.code, 1)
      assert.match(wrong.stderr, /short\.yaml:1:\d+: error: .*text_extracto/)
      assert.deepStrictEqual(yield* pipelines, [])
      const nowhere = yield* run("push", join(broken.path, "none"), "--yes")
      assert.match(nowhere.stderr, /no folder .*none/)
      const unset = yield* cli(["push", broken.path])
      assert.strictEqual(unset.code, 1)
      assert.match(unset.stderr, /COSMOS_DB_ENDPOINT/)

      const files = yield* folder(project)
      const server = yield* CosmosServer.CosmosServer
      // An identity that may read.
      const start = server.log.length
      const isVault = ({ method, path }: { readonly method: string; readonly path: string }) =>
        method === "POST" &&
        path.includes("colls/vaults/docs") &&
        server.log.slice(start).some((line) => /^POST .*pipelines\/docs.* 201$/.test(line))
      server.answerNext({ status: 403, when: isVault })
      const denied = yield* run("push", files.path, "--yes")
      assert.strictEqual(denied.code, 1, denied.stdout)
      assert.match(denied.stderr, /COSMOS_DB_KEY.*Written before it: pipeline Documents, pipeline Short\. Run it again/)
      assert.notMatch(denied.stderr, /\n\s+at /)
    })
  )
})

it.layer(Emulators.emulators)("pull", (it) => {
  it.scoped("brings back what was pushed: a folder that it came from stays as it is, a new one runs the same", () =>
    Effect.gen(function* () {
      const { run } = yield* installed("pull-round")
      const files = yield* folder(project)
      yield* run("push", files.path, "--yes")
      const same = yield* run("pull", files.path, "--yes")
      assert.strictEqual(same.code, 0, same.stderr)
      assert.match(same.stdout, /Everything is there already/)

      const other = yield* folder({})
      const dry = yield* run("pull", other.path)
      assert.strictEqual(dry.code, 0, dry.stderr)
      assert.match(dry.stdout, /create +vault +My documents +contentflow\.yaml/)
      assert.isFalse(existsSync(other.at("contentflow.yaml")))
      const done = yield* run("pull", other.path, "--yes")
      assert.strictEqual(done.code, 0, done.stderr)
      assert.include(readFileSync(other.at("pipelines/Documents.yaml"), "utf8"), "blob_storage_account: acme,")
      const yaml = readFileSync(other.at("contentflow.yaml"), "utf8")
      assert.match(yaml, /name: My documents\n +pipeline: pipelines\/Documents\.yaml/)
      assert.match(yaml, /name: texts\n +pipeline: pipelines\/Short\.yaml\n +save_execution_output: true/)
      const back = yield* run("push", other.path, "--yes")
      assert.match(back.stdout, /Everything is there already/, back.stderr)
    })
  )

  it.scoped("changes a project's file with its comments, and overwrites nothing unless it is told to", () =>
    Effect.gen(function* () {
      const { documents: containers, pipelines, run } = yield* installed("pull-changes")
      const files = yield* folder(project)
      yield* run("push", files.path, "--yes")
      const pipeline = named(yield* pipelines, "Documents")
      const edited = String(pipeline["yaml"]).replace("# Of any kind.", "# Edited there.")
      yield* containers.pipelines.patch(String(pipeline["id"]), { yaml: edited }, {})
      yield* containers.pipelines.upsert({ id: "p2", name: "../../evil", yaml: short, enabled: true })
      yield* containers.vaults.upsert({ id: "v2", name: "new one", pipeline_id: "p2", enabled: false })
      yield* containers.pipelines.upsert({ id: "p3", name: "Child", yaml: short, enabled: true })

      const refused = yield* run("pull", files.path, "--yes")
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /1 of these exist already and differ/)
      assert.strictEqual(readFileSync(files.at("pipelines/documents.yaml"), "utf8"), documents)

      const done = yield* run("pull", files.path, "--yes", "--replace")
      assert.strictEqual(done.code, 0, done.stderr)
      // The folder takes the account's place again.
      assert.strictEqual(
        readFileSync(files.at("pipelines/documents.yaml"), "utf8"),
        documents.replace("# Of any kind.", "# Edited there.")
      )
      const yaml = readFileSync(files.at("contentflow.yaml"), "utf8")
      assert.include(yaml, "# Mine")
      assert.include(yaml, "# first")
      assert.match(yaml, /name: new one\n +pipeline: pipelines\/evil\.yaml\n +enabled: false/)
      assert.isTrue(existsSync(files.at("pipelines/evil.yaml")))
      assert.isTrue(existsSync(files.at("pipelines/Child.yaml")))
    })
  )

  it.scoped("tells what can't be brought here", () =>
    Effect.gen(function* () {
      const { documents: containers, run } = yield* installed("pull-wrong")
      yield* containers.vaults.upsert({ id: "v1", name: "lost", pipeline_id: "gone", enabled: true })
      const files = yield* folder({})
      const lost = yield* run("pull", files.path, "--yes")
      assert.strictEqual(lost.code, 1)
      assert.match(lost.stdout, /conflict +vault +lost +its pipeline gone is not there/)
      const broken = yield* folder({ "contentflow.yaml": "vaults: [" })
      const unread = yield* run("pull", broken.path, "--yes")
      assert.strictEqual(unread.code, 1)
      assert.match(unread.stderr, /contentflow\.yaml, line 1/)
    })
  )
})

describe("AccountNames", () => {
  it("are replaced where settings name an account, and nowhere else", () => {
    const text = [
      "# local",
      "executors:",
      "  - {id: local, type: t, settings: {blob_storage_account: 'local', folder: local, name: \"local\"}}",
      "  - id: b # local",
      "    settings: &s",
      "      storage_account_name: local   # here",
      "      blob_storage_account: locally",
      "  - {id: c, settings: *s}",
      '  - {id: ü, settings: {note: "ü😀", storage_account_name: local}}'
    ].join("\n")
    const expected = text
      .replace("'local'", "'acme'")
      .replace("storage_account_name: local   #", "storage_account_name: acme   #")
      .replace("storage_account_name: local}", "storage_account_name: acme}")
    assert.strictEqual(AccountNames.replace(text, "local", "acme"), expected)
    assert.strictEqual(AccountNames.replace(expected, "acme", "local"), text)
    assert.strictEqual(AccountNames.replace("a: [", "local", "acme"), "a: [")
  })
})
