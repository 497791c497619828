import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Either, Layer, Option, Redacted, Stream } from "effect"
import { type BlobEntry, BlobStore, type ListOptions } from "../../../src/blob/BlobStore.ts"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { NotFound, Throttled, Unavailable, type ServiceError } from "../../../src/domain/ServiceError.ts"
import type { ExecutorInstance } from "../../../src/executor/Executor.ts"
import { executor } from "../../../src/executors/input/AzureBlobInputDiscovery.ts"
import { sortWindow } from "../../../src/executors/input/BlobListing.ts"
import { compareByCodePoint } from "../../../src/python/PythonText.ts"
import * as Golden from "./Golden.ts"

const base = { blob_storage_account: "acct", blob_container_name: "docs" }

const blob = (path: string, more: Partial<BlobEntry> = {}): BlobEntry => ({
  path,
  size: 1,
  lastModified: Date.parse("2026-01-01T00:00:00Z"),
  etag: `"${path}"`,
  contentType: null,
  contentEncoding: null,
  metadata: {},
  isDirectory: false,
  ...more
})

const inNameOrder = (entries: ReadonlyArray<BlobEntry>) =>
  entries.toSorted((a, b) => compareByCodePoint(a.path, b.path))

/** A container whose listing is served page by page, the n-th page at `servedAt + n`. */
const container = (
  entries: ReadonlyArray<BlobEntry>,
  failure?: ServiceError,
  order: (entries: ReadonlyArray<BlobEntry>) => ReadonlyArray<BlobEntry> = inNameOrder
) => {
  const calls: Array<ListOptions> = []
  let pages = 0
  const sorted = order(entries)
  const layer = Layer.succeed(
    BlobStore,
    BlobStore.of({
      list: (options) =>
        Stream.suspend(() => {
          calls.push(options)
          if (failure !== undefined) return Stream.fail(failure)
          const found = sorted.filter(({ path }) => path.startsWith(options.prefix ?? ""))
          const size = options.pageSize ?? 5000
          return Stream.unfold(0, (start) =>
            start > 0 && start >= found.length
              ? Option.none()
              : Option.some([
                  {
                    blobs: found
                      .slice(start, start + size)
                      .map((each) => (options.includeMetadata === true ? each : { ...each, metadata: {} })),
                    servedAt: 1000 + pages++
                  },
                  start + size
                ])
          ).pipe(Stream.rechunk(1))
        }),
      properties: () => Effect.succeedNone,
      download: () => Stream.empty,
      upload: () => Effect.succeed({ etag: "", lastModified: 0 }),
      remove: () => Effect.void,
      ensureContainer: () => Effect.void
    })
  )
  return { calls, pages: () => pages, layer }
}

const withNode = <A, E>(
  store: ReturnType<typeof container>,
  settings: Readonly<Record<string, unknown>>,
  use: (instance: ExecutorInstance) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    return yield* use(yield* prepared({ id: ExecutorId.make("discover"), pipelineName: "test", failOnError: true }))
  }).pipe(Effect.scoped, Effect.provide(store.layer))

const crawl = (
  store: ReturnType<typeof container>,
  settings: Readonly<Record<string, unknown>>,
  checkpoint: Option.Option<number> = Option.none(),
  continuation: Option.Option<string> = Option.none(),
  isWaiting: (name: string) => boolean = () => false
) =>
  withNode(store, settings, (instance) =>
    Effect.map(
      Stream.runCollect(instance.crawl?.(checkpoint, continuation, isWaiting) ?? Stream.empty),
      Chunk.toReadonlyArray
    )
  )

type Batches = Effect.Effect.Success<ReturnType<typeof crawl>>

/** How to go on when a limit cut the crawl; only the last batch may say it. */
const cutOf = (batches: Batches): Option.Option<string> => {
  assert.isTrue(batches.slice(0, -1).every((batch) => batch.continuation === undefined))
  return Option.fromNullable(batches.at(-1)?.continuation)
}

const process = (
  store: ReturnType<typeof container>,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content> = []
) => withNode(store, settings, (instance) => instance.process(items))

const paths = (batches: ReadonlyArray<{ readonly documents: ReadonlyArray<{ readonly item: Content }> }>) =>
  batches.flatMap(({ documents }) => documents.map(({ item }) => item.id?.path))

const incoming = (data: Readonly<Record<string, unknown>>): Content => ({
  id: null,
  summary_data: {},
  data,
  executor_logs: []
})

interface GoldenBlob {
  readonly name: string
  readonly size: number
  readonly last_modified: string | null
  readonly content_type: string | null
  readonly metadata: Readonly<Record<string, string>> | null
}

const golden = Golden.load("blob_discovery.jsonl")

/** A node gets lists only, so that a list of one item and a single item are the same to it. */
const listOfOneItem = new Set(["disc-104"])

describe("azure_blob_input_discovery, golden vectors", () => {
  for (const vector of golden.filter((each) => each.original_defect !== true && !listOfOneItem.has(each.id))) {
    it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
      Effect.gen(function* () {
        if (vector.error?.kind === "settings") {
          assert.isTrue(Either.isLeft(executor.prepare(vector.settings)), vector.error.message)
          return
        }
        const entries = (vector["blobs"] as ReadonlyArray<GoldenBlob>).map((each) =>
          blob(each.name, {
            size: each.size,
            lastModified: each.last_modified === null ? Number.NaN : Date.parse(each.last_modified),
            contentType: each.content_type,
            metadata: each.metadata ?? {}
          })
        )
        const failure = new Unavailable({ service: "Blob Storage", operation: "list", message: "boom" })
        const store = container(entries, vector["listing_error"] === undefined ? undefined : failure)
        if (vector.mode === "crawl") {
          const text = vector["checkpoint"] as string | null
          const at = text === null ? Option.none() : Option.some(Date.parse(/Z|\+/.test(text) ? text : `${text}Z`))
          const batches = yield* crawl(store, vector.settings, at)
          const { batches: expected } = vector["output"] as { batches: ReadonlyArray<{ items: unknown }> }
          assert.isUndefined(
            Golden.difference(
              expected.map(({ items }) => items).filter((items) => Array.isArray(items) && items.length > 0),
              batches
                .map(({ documents }) => documents.map(({ item }) => item))
                .filter((documents) => documents.length > 0)
            )
          )
        } else {
          const input = vector["input"]
          const result = yield* Effect.either(process(store, vector.settings, Golden.items(input)))
          if (vector.error === undefined) {
            assert.isUndefined(Golden.difference(vector["output"], Either.getOrThrow(result)))
          } else {
            assert.isTrue(Either.isLeft(result))
          }
        }
        const [asked] = store.calls
        assert.isUndefined(
          Golden.difference((vector["list_calls"] as ReadonlyArray<unknown>)[0], {
            container: asked?.container,
            prefix: asked?.prefix ?? null,
            page_size: asked?.pageSize
          })
        )
      })
    )
  }
})

const shown = (items: ReadonlyArray<Content>) => items.map(({ data }) => [data["folder_prefix"], data["file_count"]])

const problems = (settings: Readonly<Record<string, unknown>>) =>
  Either.match(executor.prepare(settings), {
    onLeft: (found) => found.map((problem) => problem.path.join(".")),
    onRight: () => []
  })

describe("azure_blob_input_discovery", () => {
  it.effect("counts max_results after the filters, and asks for no page it does not need", () =>
    Effect.gen(function* () {
      const entries = Array.from({ length: 50 }, (_, index) =>
        blob(`${String(index).padStart(2, "0")}.${index % 5 === 0 ? "pdf" : "txt"}`)
      )
      const store = container(entries)
      const batches = yield* crawl(store, { ...base, max_results: 3, file_extensions: "pdf", batch_size: 5 })
      assert.deepStrictEqual(paths(batches), ["00.pdf", "05.pdf", "10.pdf"])
      assert.strictEqual(store.pages(), 3)
    })
  )

  describe("a listing that max_results cuts", () => {
    const modes = {
      "by name": { ...base, max_results: 3, batch_size: 2 },
      "by size": { ...base, max_results: 3, batch_size: 2, sort_by: "size" },
      "in folders": { ...base, max_results: 3, batch_size: 2, discover_mode: "virtual_folders" }
    }
    const letters = [..."abcdefg"]
    const entriesOf = (names: ReadonlyArray<string>) => names.map((name) => blob(`${name}/1`))
    const found = (batches: Batches) =>
      paths(batches)
        .map((path) => path?.[0] ?? "")
        .toSorted(compareByCodePoint)

    for (const [name, settings] of Object.entries(modes)) {
      it.effect(`${name} is gone on with until its end`, () =>
        Effect.gen(function* () {
          const store = container(entriesOf(letters))
          const first = yield* crawl(store, settings)
          assert.deepStrictEqual(found(first), ["a", "b", "c"])
          const second = yield* crawl(store, settings, Option.none(), cutOf(first))
          assert.deepStrictEqual(found(second), ["d", "e", "f"])
          const third = yield* crawl(store, settings, Option.none(), cutOf(second))
          assert.deepStrictEqual(found(third), ["g"])
          assert.isTrue(Option.isNone(cutOf(third)))
        })
      )

      it.effect(`${name} is gone on with although most of what was found is gone`, () =>
        Effect.gen(function* () {
          const first = yield* crawl(container(entriesOf(letters)), settings)
          const left = container(entriesOf([..."adefg"]))
          assert.deepStrictEqual(found(yield* crawl(left, settings, Option.none(), cutOf(first))), ["d", "e", "f"])
        })
      )

      it.effect(`${name} begins again when all that was found is gone`, () =>
        Effect.gen(function* () {
          const first = yield* crawl(container(entriesOf(letters)), settings)
          const left = container(entriesOf([..."0defg"]))
          const again = yield* crawl(left, settings, Option.none(), cutOf(first))
          assert.deepStrictEqual(found(again), ["0", "d", "e"])
          assert.deepStrictEqual(found(yield* crawl(left, settings, Option.none(), cutOf(again))), ["f", "g"])
          const empty = yield* crawl(container([]), settings, Option.none(), cutOf(first))
          assert.deepStrictEqual(found(empty), [])
          assert.isTrue(Option.isNone(cutOf(empty)))
        })
      )

      it.effect(`${name} is none when all of it was found`, () =>
        Effect.gen(function* () {
          const some = yield* crawl(container(entriesOf([..."ab"])), settings)
          assert.isTrue(Option.isNone(cutOf(some)))
          const unlimited = yield* crawl(container(entriesOf(letters)), { ...settings, max_results: 0 })
          assert.isTrue(Option.isNone(cutOf(unlimited)))
        })
      )

      it.effect(`${name} goes on in any order that the service lists in`, () =>
        Effect.gen(function* () {
          const backwards = container(entriesOf(letters), undefined, (entries) => inNameOrder(entries).toReversed())
          const first = yield* crawl(backwards, settings)
          const second = yield* crawl(backwards, settings, Option.none(), cutOf(first))
          const third = yield* crawl(backwards, settings, Option.none(), cutOf(second))
          assert.deepStrictEqual(found([first, second, third].flat()), letters)
        })
      )

      it.effect(`${name} is listed from its beginning when it is another container's`, () =>
        Effect.gen(function* () {
          const store = container(entriesOf(letters))
          const first = yield* crawl(store, settings)
          const other = { ...settings, blob_container_name: "others" }
          assert.deepStrictEqual(found(yield* crawl(store, other, Option.none(), cutOf(first))), ["a", "b", "c"])
        })
      )
    }
  })

  it.effect("tells when each document last changed, a folder with its last file", () =>
    Effect.gen(function* () {
      const store = container([
        blob("a/1", { lastModified: 5_000 }),
        blob("a/2", { lastModified: 9_000 }),
        blob("a/3", { lastModified: Number.NaN })
      ])
      const times = (batches: Batches) => batches.flatMap(({ documents }) => documents.map((one) => one.modifiedAt))
      assert.deepStrictEqual(times(yield* crawl(store, base)), [5_000, 9_000, undefined])
      assert.deepStrictEqual(times(yield* crawl(store, { ...base, discover_mode: "virtual_folders" })), [9_000])
    })
  )

  it.effect("finds what changed even when it lies behind max_results in the container", () =>
    Effect.gen(function* () {
      const entries = [
        ...Array.from({ length: 10 }, (_, index) => blob(`a${index}`)),
        blob("z", { lastModified: Date.parse("2026-02-01T00:00:00Z") })
      ]
      const checkpoint = Option.some(Date.parse("2026-01-15T00:00:00Z"))
      assert.deepStrictEqual(paths(yield* crawl(container(entries), { ...base, max_results: 2 }, checkpoint)), ["z"])
    })
  )

  it.effect("leaves out what changed in the checkpoint's own millisecond", () =>
    Effect.gen(function* () {
      const at = Date.parse("2026-01-15T00:00:00Z")
      const entries = [blob("at", { lastModified: at }), blob("after", { lastModified: at + 1 })]
      assert.deepStrictEqual(paths(yield* crawl(container(entries), base, Option.some(at))), ["after"])
    })
  )

  it.effect("trims extensions and takes lists", () =>
    Effect.gen(function* () {
      const entries = [blob("a.pdf"), blob("b.DOCX"), blob("c.txt")]
      for (const file_extensions of [".pdf, .docx", ["pdf", ".docx"], '["pdf", "DOCX"]']) {
        assert.deepStrictEqual(paths(yield* crawl(container(entries), { ...base, file_extensions })), [
          "a.pdf",
          "b.DOCX"
        ])
      }
    })
  )

  it.effect("lists no directories of hierarchical accounts", () =>
    Effect.gen(function* () {
      const entries = [blob("dir", { isDirectory: true, size: 0 }), blob("dir/x.pdf"), blob("empty/")]
      assert.deepStrictEqual(paths(yield* crawl(container(entries), base)), ["dir/x.pdf"])
    })
  )

  it.effect("leaves archived blobs out, names them, and takes those that came back though they did not change", () =>
    Effect.gen(function* () {
      const checkpoint = Option.some(Date.parse("2026-01-15T00:00:00Z"))
      const changed = { lastModified: Date.parse("2026-02-01T00:00:00Z") }
      const entries = [
        blob("archived-long-ago", { isArchived: true }),
        blob("archived-since", { ...changed, isArchived: true }),
        blob("back"),
        blob("still", { isArchived: true }),
        blob("unchanged")
      ]
      const canonical = (path: string) => `https://acct.blob.core.windows.net/docs/${path}`
      const waiting = new Set(["back", "still"].map(canonical))
      const batches = yield* withNode(container(entries), base, (instance) =>
        Stream.runCollect(instance.crawl?.(checkpoint, Option.none(), (name) => waiting.has(name)) ?? Stream.empty)
      )
      const all = Chunk.toReadonlyArray(batches)
      assert.deepStrictEqual(paths(all), ["back"])
      assert.deepStrictEqual(
        all.flatMap((each) => each.waiting ?? []),
        [canonical("archived-since"), canonical("still")]
      )
    })
  )

  it.effect("items have blob metadata exactly when it is wanted", () =>
    Effect.gen(function* () {
      const entries = [blob("a", { metadata: { owner: "ann" } })]
      const wanted = container(entries)
      const [batch] = yield* crawl(wanted, base)
      assert.deepStrictEqual(batch?.documents[0]?.item.id?.metadata?.["blob_metadata"], { owner: "ann" })
      const unwanted = container(entries)
      const [bare] = yield* crawl(unwanted, { ...base, include_metadata: false })
      assert.notProperty(bare?.documents[0]?.item.id?.metadata, "blob_metadata")
    })
  )

  it.effect("sorts across pages", () =>
    Effect.gen(function* () {
      const entries = [5, 3, 9, 1, 7].map((size, index) => blob(`${index}`, { size }))
      const settings = { ...base, batch_size: 2 }
      const bySize = yield* crawl(container(entries), { ...settings, sort_by: "size", sort_ascending: false })
      assert.deepStrictEqual(paths(bySize), ["2", "4", "0", "1", "3"])
      assert.isAtMost(Math.max(...bySize.map(({ documents }) => documents.length)), 2)
      const byName = yield* crawl(container(entries), { ...settings, sort_ascending: false })
      assert.deepStrictEqual(paths(byName), ["4", "3", "2", "1", "0"])
    })
  )

  it.effect("sorts blobs without a date before all others", () =>
    Effect.gen(function* () {
      const entries = [blob("a"), blob("b", { lastModified: Number.NaN }), blob("c", { lastModified: 5 })]
      assert.deepStrictEqual(paths(yield* crawl(container(entries), { ...base, sort_by: "last_modified" })), [
        "b",
        "c",
        "a"
      ])
    })
  )

  it.effect("holds no more than a window of a long listing", () =>
    Effect.gen(function* () {
      const entries = Array.from({ length: sortWindow + 1 }, (_, index) =>
        blob(String(index).padStart(6, "0"), { size: -index })
      )
      const found = paths(yield* crawl(container(entries), { ...base, sort_by: "size", batch_size: 5000 }))
      assert.strictEqual(found.length, sortWindow + 1)
      assert.strictEqual(found[0], String(Math.ceil(sortWindow / 5000) * 5000 - 1).padStart(6, "0"))
      assert.strictEqual(found.at(-1), String(sortWindow).padStart(6, "0"))
    })
  )

  it.effect("says when the listing began, found something or not", () =>
    Effect.gen(function* () {
      for (const settings of [base, { ...base, sort_by: "size" }, { ...base, discover_mode: "virtual_folders" }]) {
        for (const entries of [[], [blob("d/a"), blob("d/b")]]) {
          const [first] = yield* crawl(container(entries), { ...settings, batch_size: 1 })
          assert.strictEqual(first?.servedAt, 1000)
        }
      }
    })
  )

  it.effect("takes the ETag for the version, or size and time", () =>
    Effect.gen(function* () {
      const [batch] = yield* crawl(
        container([blob("a", { etag: '"1"' }), blob("b", { etag: "", size: 7, lastModified: 5 })]),
        base
      )
      assert.deepStrictEqual(
        batch?.documents.map(({ version }) => version),
        ['"1"', "7-5"]
      )
    })
  )

  describe("virtual folders", () => {
    const folders = { ...base, discover_mode: "virtual_folders" }

    it.effect("are what a crawl finds as well", () =>
      Effect.gen(function* () {
        const entries = [blob("a/1"), blob("a/2"), blob("a/x/3"), blob("b/1"), blob("top")]
        const batches = yield* crawl(container(entries), { ...folders, batch_size: 2 })
        assert.deepStrictEqual(shown(batches.flatMap(({ documents }) => documents.map(({ item }) => item))), [
          ["a/", 3],
          ["b/", 1]
        ])
      })
    )

    it.effect("below a prefix that ends inside a name have names", () =>
      Effect.gen(function* () {
        const entries = [blob("in/a"), blob("in/b"), blob("inbox/c"), blob("index")]
        const found = yield* process(container(entries), { ...folders, prefix: "in" })
        assert.deepStrictEqual(
          found.map(({ id }) => [id?.filename, id?.canonical_id]),
          [
            ["in", "folder://docs/in/"],
            ["inbox", "folder://docs/inbox/"]
          ]
        )
      })
    )

    it.effect("are found again when one of their files changed, with all their files", () =>
      Effect.gen(function* () {
        const at = Date.parse("2026-01-15T00:00:00Z")
        const entries = [blob("a/1"), blob("b/1"), blob("b/2", { lastModified: at + 1 })]
        const before = yield* crawl(container(entries.slice(0, 2)), folders)
        const later = yield* crawl(container(entries), folders, Option.some(at))
        const documents = later.flatMap((batch) => batch.documents)
        assert.deepStrictEqual(shown(documents.map(({ item }) => item)), [["b/", 2]])
        const unchanged = before.flatMap((batch) => batch.documents).find(({ item }) => item.id?.path === "b/")
        assert.notStrictEqual(documents[0]?.version, unchanged?.version)
        const again = yield* crawl(container(entries), folders, Option.some(at))
        assert.strictEqual(again.flatMap((batch) => batch.documents)[0]?.version, documents[0]?.version)
      })
    )

    it.effect("are what max_results counts", () =>
      Effect.gen(function* () {
        const entries = [blob("a/1"), blob("a/2"), blob("b/1"), blob("c/1")]
        const batches = yield* crawl(container(entries), { ...folders, max_results: 2 })
        assert.deepStrictEqual(paths(batches), ["a/", "b/"])
      })
    )
  })

  it.effect("uses a prefix of the incoming item for that run alone", () =>
    Effect.gen(function* () {
      const store = container([blob("x/1"), blob("y/2")])
      const found = yield* withNode(
        store,
        { ...base, prefix: "x/", prefix_from_input_field: "folder.path" },
        (instance) =>
          Effect.all([
            instance.process([incoming({ folder: { path: "y/" } })]),
            instance.process([incoming({})]),
            instance.process([incoming({ folder: { path: "y/" } }), incoming({})])
          ])
      )
      assert.deepStrictEqual(
        found.map((items) => items.map(({ id }) => id?.path)),
        [["y/2"], ["x/1"], ["x/1"]]
      )
    })
  )

  it.effect("signs in with the key only where the settings say so", () =>
    Effect.gen(function* () {
      const withKey = container([])
      yield* crawl(withKey, {
        ...base,
        blob_storage_credential_type: "azure_key_credential",
        blob_storage_account_key: "k"
      })
      assert.strictEqual(withKey.calls[0]?.account.key && Redacted.value(withKey.calls[0].account.key), "k")
      const without = container([])
      yield* crawl(without, { ...base, blob_storage_account_key: "k" })
      assert.deepStrictEqual(without.calls[0]?.account, { name: "acct" })
    })
  )

  it.effect("tells what may heal from what will not", () =>
    Effect.gen(function* () {
      const facts = { service: "Blob Storage", operation: "list", message: "no" }
      const slow = yield* Effect.flip(crawl(container([], new Throttled({ ...facts, retryAfterMillis: 5000 })), base))
      assert.deepInclude(slow, { reason: "Transient", retryAfterMillis: 5000 })
      const gone = yield* Effect.flip(process(container([], new NotFound(facts)), base))
      assert.strictEqual(gone.reason, "Setting")
      assert.include(gone.message, "blob_container_name")
    })
  )

  it("refuses settings that can't work, by name", () => {
    assert.deepStrictEqual(problems({}), ["blob_storage_account", "blob_container_name"])
    assert.deepStrictEqual(problems({ ...base, blob_storage_account: "https://acct.blob.core.windows.net" }), [
      "blob_storage_account"
    ])
    assert.deepStrictEqual(problems({ ...base, blob_storage_credential_type: "azure_key_credential" }), [
      "blob_storage_account_key"
    ])
    assert.deepStrictEqual(problems({ ...base, modified_after: "2026-02-30", modified_before: "soon" }), [
      "modified_after",
      "modified_before"
    ])
  })
})
