import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { ServiceError } from "../../domain/ServiceError.ts"
import {
  type Document,
  isAfter,
  type Newest,
  type Page,
  type PatchCondition,
  type Position,
  Reading,
  Write
} from "../../store/DocumentContainer.ts"
import { Containers } from "../StoreContainers.ts"

const container = Effect.map(Containers, ({ executions }) => executions)

const etagOf = (write: Write): string => {
  assert.strictEqual(write._tag, "Written")
  return write._tag === "Written" ? write.etag : ""
}

const found = (reading: Reading): { readonly document: Document; readonly etag: string } => {
  assert.strictEqual(reading._tag, "Found")
  return reading._tag === "Found" ? reading : { document: {}, etag: "" }
}

export const suite = (name: string, layer: Layer.Layer<Containers>): void =>
  it.layer(layer)(`DocumentContainer (${name})`, (it) => {
    it.effect("creates once, and reads what was created with its ETag", () =>
      Effect.gen(function* () {
        const documents = yield* container
        assert.strictEqual((yield* documents.read("c1"))._tag, "Missing")
        const etag = etagOf(yield* documents.create({ id: "c1", text: "größe ✓", none: null, list: [1, { a: true }] }))
        const reading = found(yield* documents.read("c1"))
        assert.strictEqual(reading.etag, etag)
        assert.strictEqual(reading.document["_etag"], etag)
        assert.isNumber(reading.document["_ts"])
        assert.strictEqual(reading.document["text"], "größe ✓")
        assert.isNull(reading.document["none"])
        assert.deepStrictEqual(reading.document["list"], [1, { a: true }])
        assert.deepStrictEqual(yield* documents.create({ id: "c1" }), Write.Refused())
      })
    )

    it.effect("does not send a document that the reader has", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const etag = etagOf(yield* documents.create({ id: "known" }))
        assert.deepStrictEqual(yield* documents.read("known", etag), Reading.Unchanged())
        const next = etagOf(yield* documents.patch("known", { a: 1 }, {}))
        assert.notStrictEqual(next, etag)
        assert.strictEqual(found(yield* documents.read("known", etag)).etag, next)
      })
    )

    it.effect("gives the newest first, page by page, each once, also those of one moment", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const group = { vault_id: `paged-${name}` }
        const at = (index: number) => `2026-03-01T00:00:${String(Math.floor(index / 7)).padStart(2, "0")}+00:00`
        yield* Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          (index) =>
            documents.create({
              id: `page-${String((index * 17) % 40).padStart(2, "0")}`,
              ...group,
              created_at: at(index),
              status: index % 2 === 0 ? "failed" : "completed",
              content: [{ id: { canonical_id: `doc/${index}.PDF` } }],
              ...(index % 3 === 0 ? { error: `Broken at ${index}: Übel` } : {})
            }),
          { concurrency: 8, discard: true }
        )
        yield* documents.create({ id: "page-without-time", ...group })
        const all = (search: Partial<Newest>, most: number) =>
          Effect.gen(function* () {
            const found: Array<Document> = []
            let after: Position | undefined
            for (;;) {
              const page: Page = yield* documents.newest(
                {
                  by: "created_at",
                  equal: group,
                  select: { status: "status", name: "content[0].id.canonical_id" },
                  ...search,
                  ...(after === undefined ? {} : { after })
                },
                most
              )
              assert.isAtMost(page.documents.length, most)
              found.push(...page.documents)
              if (page.next === null) return found
              after = page.next
            }
          })
        const order = yield* all({}, 100)
        assert.lengthOf(order, 40)
        assert.deepStrictEqual(
          order,
          order.toSorted((a, b) =>
            isAfter(String(a["created_at"]), String(a["id"]), {
              at: String(b["created_at"]),
              id: String(b["id"])
            })
              ? 1
              : -1
          )
        )
        for (const most of [1, 3, 7, 13, 39, 40]) assert.deepStrictEqual(yield* all({}, most), order)
        assert.deepStrictEqual(Object.keys(order[0] ?? {}).toSorted(), ["created_at", "id", "name", "status"])
        const failed = yield* all({ oneOf: { property: "status", values: ["failed"] } }, 3)
        assert.lengthOf(failed, 20)
        assert.isTrue(failed.every(({ status }) => status === "failed"))
        assert.lengthOf(yield* all({ notEqual: { status: "failed" } }, 6), 20)
        assert.lengthOf(yield* all({ notEqual: { nowhere: "failed" } }, 6), 40)
        assert.lengthOf(yield* all({ from: at(7), to: at(14) }, 5), 7)
        const named = { containing: [{ paths: ["content[].id.canonical_id"], text: "/1.pdf" }] }
        assert.deepStrictEqual(
          (yield* all(named, 5)).map((each) => each["name"]),
          ["doc/1.PDF"]
        )
        assert.lengthOf(yield* all({ containing: [{ paths: ["error"], text: "broken AT" }] }, 5), 14)
        assert.lengthOf(yield* all({ containing: [{ paths: ["error"], text: "' OR true --" }] }, 5), 0)
      })
    )

    it.effect("replaces only the version that was read", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const first = etagOf(yield* documents.create({ id: "r1", a: 1, b: 2 }))
        const second = etagOf(yield* documents.replace({ id: "r1", a: 3 }, first))
        assert.deepStrictEqual(yield* documents.replace({ id: "r1", a: 4 }, first), Write.Refused())
        const reading = found(yield* documents.read("r1"))
        assert.strictEqual(reading.etag, second)
        assert.strictEqual(reading.document["a"], 3)
        assert.notProperty(reading.document, "b")
        assert.deepStrictEqual(yield* documents.replace({ id: "nobody" }, first), Write.Missing())
      })
    )

    it.effect("upserts whatever is there", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const first = yield* documents.upsert({ id: "u1", a: 1 })
        const second = yield* documents.upsert({ id: "u1", b: 2 })
        assert.notStrictEqual(first, second)
        const reading = found(yield* documents.read("u1"))
        assert.strictEqual(reading.etag, second)
        assert.notProperty(reading.document, "a")
      })
    )

    it.effect("patches some properties and leaves the others alone", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const first = etagOf(
          yield* documents.create({ id: "p1", status: "pending", error: "old", theirs: { deep: [1] } })
        )
        const second = etagOf(
          yield* documents.patch("p1", { error: null, fresh: [], status: "running" }, { etag: first })
        )
        const { document } = found(yield* documents.read("p1"))
        assert.strictEqual(document["_etag"], second)
        assert.isNull(document["error"])
        assert.deepStrictEqual(document["fresh"], [])
        assert.strictEqual(document["status"], "running")
        assert.deepStrictEqual(document["theirs"], { deep: [1] })
        assert.deepStrictEqual(yield* documents.patch("p1", { a: 1 }, { etag: first }), Write.Refused())
        assert.deepStrictEqual(yield* documents.patch("nobody", { a: 1 }, {}), Write.Missing())
      })
    )

    it.effect("patches only in the states of the condition", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const open = { oneOf: { property: "status", values: ["pending", "running"] } }
        const first = etagOf(yield* documents.create({ id: "p2", status: "running", at: null }))
        const second = etagOf(yield* documents.patch("p2", { n: 1 }, { ...open, isNull: "at" }))
        assert.deepStrictEqual(yield* documents.patch("p2", { n: 2 }, { ...open, etag: first }), Write.Refused())
        etagOf(yield* documents.patch("p2", { status: "completed", at: "now" }, { ...open, etag: second }))
        assert.deepStrictEqual(yield* documents.patch("p2", { n: 3 }, open), Write.Refused())
        assert.deepStrictEqual(yield* documents.patch("p2", { n: 3 }, { isNull: "at" }), Write.Refused())
        assert.deepStrictEqual(yield* documents.patch("p2", { n: 3 }, { isNull: "absent" }), Write.Refused())
        assert.strictEqual(found(yield* documents.read("p2")).document["n"], 1)
      })
    )

    it.effect("patches a property whose name needs escaping", () =>
      Effect.gen(function* () {
        const documents = yield* container
        yield* documents.create({ id: "p3" })
        etagOf(yield* documents.patch("p3", { "with space": 1 }, {}))
        assert.strictEqual(found(yield* documents.read("p3")).document["with space"], 1)
      })
    )

    it.effect("refuses a patch of nothing, and one above the service's limit", () =>
      Effect.gen(function* () {
        const documents = yield* container
        yield* documents.create({ id: "p4" })
        const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, i]))
        for (const set of [{}, eleven]) {
          const error = yield* Effect.flip(documents.patch("p4", set, {}))
          assert.strictEqual(error._tag, "Invalid")
          assert.include(error.message, "1 to 10 properties")
        }
      })
    )

    it.effect("removes only the version that was read", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const first = etagOf(yield* documents.create({ id: "d1" }))
        const second = etagOf(yield* documents.patch("d1", { a: 1 }, {}))
        assert.deepStrictEqual(yield* documents.remove("d1", first), Write.Refused())
        assert.deepStrictEqual(yield* documents.remove("d1", second), Write.Written({ etag: second }))
        assert.deepStrictEqual(yield* documents.remove("d1", second), Write.Missing())
        assert.strictEqual((yield* documents.read("d1"))._tag, "Missing")
      })
    )

    it.effect("finds every document with a value, over more than one page", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const ids = Array.from({ length: 230 }, (_, i) => `w${i}`)
        yield* Effect.forEach(ids, (id) => documents.create({ id, kind: "many", flag: true }), { concurrency: 8 })
        yield* documents.create({ id: "w-text", kind: "one", flag: "true" })
        yield* documents.create({ id: "w-number", kind: "one", flag: 1 })
        const many = yield* documents.where({ kind: "many" })
        assert.sameMembers(
          many.map((document) => String(document["id"])),
          ids
        )
        assert.lengthOf(yield* documents.where({ flag: true }), 230)
        assert.deepStrictEqual(yield* documents.where({ kind: "none" }), [])
      })
    )

    it.effect("finds the documents with several values, of which null is not the same as nothing", () =>
      Effect.gen(function* () {
        const documents = yield* container
        yield* documents.create({ id: "n-null", colour: "red", size: null })
        yield* documents.create({ id: "n-text", colour: "red", size: "null" })
        yield* documents.create({ id: "n-missing", colour: "red" })
        yield* documents.create({ id: "n-other", colour: "blue", size: null })
        const found = yield* documents.where({ colour: "red", size: null })
        assert.deepStrictEqual(
          found.map((document) => document["id"]),
          ["n-null"]
        )
      })
    )

    it.effect("treats an id that the service can't hold as missing, and refuses to write it", () =>
      Effect.gen(function* () {
        const documents = yield* container
        for (const id of ["a/b", "a\\b", "a?b", "a#b", "a ", "", "x".repeat(1024)]) {
          assert.strictEqual((yield* documents.read(id))._tag, "Missing")
          assert.deepStrictEqual(yield* documents.patch(id, { a: 1 }, {}), Write.Missing())
          assert.deepStrictEqual(yield* documents.remove(id, "e"), Write.Missing())
          assert.strictEqual((yield* Effect.flip(documents.create({ id })))._tag, "Invalid")
          assert.strictEqual((yield* Effect.flip(documents.upsert({ id })))._tag, "Invalid")
        }
        for (const id of ["ü b%2F", "a+b&c=d", "x".repeat(1023), "..%"]) {
          etagOf(yield* documents.create({ id }))
          assert.strictEqual(found(yield* documents.read(id)).document["id"], id)
        }
      })
    )

    it.effect("refuses documents above 2 MB as too large", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const large = "x".repeat(2 * 1024 * 1024)
        const small = etagOf(yield* documents.create({ id: "l1", a: "x".repeat(1024 * 1024) }))
        const writes: ReadonlyArray<Effect.Effect<unknown, ServiceError>> = [
          documents.create({ id: "l2", large }),
          documents.upsert({ id: "l1", large }),
          documents.replace({ id: "l1", large }, small),
          documents.patch("l1", { large }, {})
        ]
        for (const write of writes) {
          const error = yield* Effect.flip(write)
          assert.strictEqual(error._tag === "Invalid" ? error.reason : error._tag, "TooLarge")
        }
        assert.strictEqual(found(yield* documents.read("l1")).etag, small)
      })
    )

    it.effect("patches only what holds these texts, however they are written, and lacks those properties", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const worker = 'O\'Neill \\ "Größe" ✓ T-1'
        yield* documents.create({ id: "q1", worker, run: { id: "Ab-1" }, none: null })
        const patched = (condition: PatchCondition) =>
          Effect.map(documents.patch("q1", { seen: true }, condition), ({ _tag }) => _tag)
        assert.strictEqual(yield* patched({ equal: { worker, "run.id": "Ab-1" } }), "Written")
        assert.strictEqual(yield* patched({ absent: ["none", "nowhere"] }), "Written")
        assert.strictEqual(yield* patched({ equal: { worker }, absent: ["nowhere"] }), "Written")
        assert.strictEqual(yield* patched({ equal: { worker: worker.toLowerCase() } }), "Refused")
        assert.strictEqual(yield* patched({ equal: { "run.id": "ab-1" } }), "Refused")
        assert.strictEqual(yield* patched({ equal: { "nowhere.id": "Ab-1" } }), "Refused")
        assert.strictEqual(yield* patched({ equal: { worker, "run.id": "Ab-2" } }), "Refused")
        assert.strictEqual(yield* patched({ absent: ["none", "run"] }), "Refused")
        assert.strictEqual(yield* patched({ equalIfThere: { "run.id": "Ab-1", "nowhere.id": "x" } }), "Written")
        assert.strictEqual(yield* patched({ equalIfThere: { "run.id": "Ab-2" } }), "Refused")
        assert.strictEqual(yield* patched({ equalIfThere: { "none.id": "Ab-1" } }), "Refused")
      })
    )

    it.effect("lets one of many creators win", () =>
      Effect.gen(function* () {
        const documents = yield* container
        const writes = yield* Effect.all(
          Array.from({ length: 8 }, (_, n) => documents.create({ id: "race", n })),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(
          writes.filter((write) => write._tag === "Written"),
          1
        )
      })
    )
  })
