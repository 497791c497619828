import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/output/AiSearchIndexOutput.ts"
import * as Prism from "../../support/Prism.ts"
import * as SearchService from "../../support/SearchService.ts"
import type * as StandIn from "../../support/StandIn.ts"
import * as ServiceCases from "./ServiceCases.ts"

interface Search {
  readonly docs: SearchService.Index
  readonly answer: (asked: StandIn.Asked) => StandIn.Answer
  readonly delay?: number
}

const fields = ["content", "title", "indexed_at"]
const search = (docs: SearchService.Index, moods: SearchService.Moods = {}, delay?: number): Search => ({
  docs,
  answer: SearchService.respond({ docs }, moods),
  ...(delay === undefined ? {} : { delay })
})
const fresh =
  (moods: SearchService.Moods = {}, names: ReadonlyArray<string> = fields, delay?: number) =>
  (): Search =>
    search(SearchService.index("id", ...names), moods, delay)

type Seen = ServiceCases.Seen<Search>
const { succeeded } = ServiceCases

const stored = ({ service }: Seen) => Object.fromEntries(service.docs.documents)
const keys = ({ service }: Seen) => [...service.docs.documents.keys()]
const writes = ({ asked }: Seen) => asked.filter(({ method }) => method === "POST")
const sizes = (seen: Seen) =>
  writes(seen).map(({ body }) => (JSON.parse(body.toString()) as { value: ReadonlyArray<unknown> }).value.length)
const headers = (seen: Seen) => writes(seen)[0]?.headers ?? {}
const chunks = {
  title: "T",
  chunks: [
    { id: "a", text: "one" },
    { id: "b", text: "two" }
  ]
}
const document = { index_mode: "document", content_to_index_mappings: { "id.unique_id": "id", title: "title" } }

/** An index that holds one document already. */
const filled = () => {
  const docs = SearchService.index("id", ...fields)
  docs.documents.set("u", { id: "u", title: "old", content: "kept" })
  return search(docs)
}

ServiceCases.runAll<Search>({
  executor,
  required: {
    ai_search_account: "contoso",
    ai_search_index: "docs",
    ai_search_credential_type: "azure_key_credential",
    ai_search_api_key: SearchService.key,
    content_to_index_mappings: { "chunk.id": "id", "chunk.text": "content", title: "title" },
    retry_delay: 0.1
  },
  defaults: {
    ai_search_account: "required",
    ai_search_credential_type: "default_azure_credential",
    ai_search_api_key: null,
    ai_search_api_version: "2025-11-01-preview",
    ai_search_index: "required",
    index_mode: "chunks",
    chunk_iterator_field: "chunks",
    index_action_type: "mergeOrUpload",
    batch_size: 100,
    add_timestamp: true,
    max_retries: 3,
    retry_delay: 1,
    timeout_secs: 30,
    max_concurrent: 3
  },
  data: chunks,
  host: "contoso.search.windows.net",
  description: Prism.description("search.prism.json"),
  wrong: {
    path: "/indexes('docs')/docs/search.index?api-version=2024-07-01",
    init: { method: "POST", headers: { "content-type": "application/json" }, body: '{"value": "none"}' }
  },
  // The description is that of documents; those of indexes are another.
  undescribed: (pathname) => !pathname.includes("/docs/"),
  service: fresh(),
  respond: ({ answer, delay }, asked) =>
    delay === undefined
      ? answer(asked)
      : delay === Number.POSITIVE_INFINITY
        ? "silence"
        : new Promise((resolve) => {
            setTimeout(() => resolve(answer(asked)), delay)
          }),
  cases: {
    ai_search_account: [
      { value: "contoso", expect: (seen) => assert.deepStrictEqual([seen.error, keys(seen)], ["", ["a", "b"]]) },
      { value: "https://contoso.search.windows.net/", expect: succeeded },
      { value: "<search-account>", expect: ({ error }) => assert.match(error, /The setting ai_search_account/) },
      {
        value: "https://your-search-service.search.windows.net",
        expect: ({ error }) => assert.match(error, /The setting ai_search_account is still the placeholder/)
      }
    ],
    ai_search_credential_type: [
      {
        value: "default_azure_credential",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(headers(seen)["authorization"], "Bearer token-1")
        }
      },
      {
        value: "azure_key_credential",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(headers(seen)["api-key"], SearchService.key)
        }
      }
    ],
    ai_search_api_key: [
      {
        value: "a-wrong-key-of-the-test",
        expect: ({ error }) => {
          assert.match(error, /the key in the setting ai_search_api_key is wrong/)
          assert.notInclude(error, "a-wrong-key-of-the-test")
        }
      },
      { value: "", expect: ({ error }) => assert.match(error, /The setting ai_search_api_key is required/) }
    ],
    ai_search_api_version: [
      {
        value: "2024-07-01",
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(
            seen.asked.map(({ query }) => query.get("api-version")),
            ["2024-07-01", "2024-07-01"]
          )
        }
      }
    ],
    ai_search_index: [
      { value: "docs", expect: (seen) => assert.match(writes(seen)[0]?.path ?? "", /^\/indexes\('docs'\)\/docs\//) },
      {
        value: "gone",
        expect: ({ asked, error }) => {
          assert.match(error, /has no index gone: create it, or correct the setting ai_search_index/)
          assert.lengthOf(asked, 1)
        }
      },
      { value: "a') or 1", expect: ({ error }) => assert.match(error, /The setting ai_search_index must/) }
    ],
    index_mode: [
      { value: "chunks", expect: (seen) => assert.deepStrictEqual(keys(seen), ["a", "b"]) },
      {
        value: "document",
        with: { content_to_index_mappings: { "id.unique_id": "id", title: "title" }, add_timestamp: false },
        expect: (seen) => assert.deepStrictEqual(stored(seen), { u: { id: "u", title: "T" } })
      },
      {
        value: "whole",
        with: { content_to_index_mappings: { "id.unique_id": "id" } },
        expect: (seen) => assert.deepStrictEqual(keys(seen), ["u"])
      }
    ],
    chunk_iterator_field: [
      {
        value: "pages",
        items: [{ pages: [{ id: "p", text: "one" }, "no object"] }],
        expect: (seen) => assert.deepStrictEqual([seen.error, keys(seen)], ["", ["p"]])
      },
      {
        value: "gone",
        expect: (seen) => {
          succeeded(seen)
          assert.deepInclude(seen.summary, { indexed_count: 0, index_status: "success" })
          assert.lengthOf(writes(seen), 0)
        }
      }
    ],
    content_to_index_mappings: [
      {
        value: '{"chunk.id": "id", "chunk.text": "content"}',
        with: { add_timestamp: false },
        expect: (seen) =>
          assert.deepStrictEqual(stored(seen), { a: { id: "a", content: "one" }, b: { id: "b", content: "two" } })
      },
      {
        // The chunk goes before the item, and null is left out.
        value: { id: "id", title: "title" },
        with: { add_timestamp: false },
        items: [{ title: "T", chunks: [{ id: "a", title: "own" }, { id: "b" }, { id: "c", title: null }] }],
        expect: (seen) =>
          assert.deepStrictEqual(stored(seen), {
            a: { id: "a", title: "own" },
            b: { id: "b", title: "T" },
            c: { id: "c", title: "T" }
          })
      },
      {
        // Only the prefix is one, not what stands within a path.
        value: { "chunk.id": "id", "my_chunk.text": "content" },
        with: { add_timestamp: false },
        items: [{ my_chunk: { text: "mine" }, my_text: "wrong", chunks: [{ id: "a" }] }],
        expect: (seen) => assert.deepStrictEqual(stored(seen), { a: { id: "a", content: "mine" } })
      },
      {
        value: { "id.canonical_id": "id", "id.path": "title" },
        with: { index_mode: "document" },
        expect: (seen) => assert.deepStrictEqual(keys(seen), ["doc"])
      },
      { value: { text: "gone" }, expect: ({ error }) => assert.match(error, /has no field gone/) },
      { value: { text: "content" }, expect: ({ error }) => assert.match(error, /fills id, the key field/) },
      { value: "no mapping", expect: ({ error }) => assert.match(error, /The setting content_to_index_mappings/) }
    ],
    index_action_type: [
      {
        value: "upload",
        with: { ...document, add_timestamp: false },
        service: filled,
        expect: (seen) => assert.deepStrictEqual(stored(seen), { u: { id: "u", title: "T" } })
      },
      {
        value: "merge",
        with: { ...document, add_timestamp: false },
        service: filled,
        expect: (seen) => assert.deepStrictEqual(stored(seen), { u: { id: "u", title: "T", content: "kept" } })
      },
      {
        value: "merge",
        with: document,
        expect: ({ error }) => assert.match(error, /did not take 1 of 1 documents, among them u: 404/)
      },
      {
        value: "mergeOrUpload",
        with: { ...document, add_timestamp: false },
        service: filled,
        expect: (seen) => assert.deepStrictEqual(stored(seen), { u: { id: "u", title: "T", content: "kept" } })
      },
      {
        value: "delete",
        with: document,
        service: filled,
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(stored(seen), {})
        }
      }
    ],
    // Without a task nothing is recorded; what it means with one is told by the tests of the worker.
    on_source_deleted: ["keep", "remove"].map((value) => ({
      value,
      expect: (seen) => assert.deepStrictEqual([seen.error, keys(seen)], ["", ["a", "b"]])
    })),
    key_field: [
      {
        value: "id",
        service: fresh({ hidesIndexes: true }),
        expect: (seen) => assert.deepStrictEqual([seen.error, keys(seen)], ["", ["a", "b"]])
      },
      {
        value: "number",
        service: fresh({ hidesIndexes: true }),
        expect: ({ asked, error }) => {
          assert.match(error, /fills number, the key field of the index docs \(setting key_field\)/)
          assert.lengthOf(asked, 1)
        }
      }
    ],
    batch_size: [
      { value: 1, expect: (seen) => assert.deepStrictEqual(sizes(seen), [1, 1]) },
      { value: 2, expect: (seen) => assert.deepStrictEqual(sizes(seen), [2]) },
      {
        value: 1000,
        service: fresh({ mostDocuments: 1 }),
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(sizes(seen), [2, 1, 1])
        }
      }
    ],
    add_timestamp: [
      {
        value: true,
        expect: (seen) => assert.match(String(stored(seen)["a"]?.["indexed_at"]), /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/)
      },
      {
        value: true,
        with: document,
        expect: (seen) => assert.property(stored(seen)["u"], "indexed_at")
      },
      {
        // An index without such a field gets none, whether or not it shows its fields.
        value: true,
        service: fresh({}, ["content", "title"]),
        expect: (seen) => assert.notProperty(stored(seen)["a"], "indexed_at")
      },
      {
        value: true,
        service: fresh({ hidesIndexes: true }, ["content", "title"]),
        expect: (seen) => {
          succeeded(seen)
          assert.notProperty(stored(seen)["a"], "indexed_at")
        }
      },
      { value: false, expect: (seen) => assert.notProperty(stored(seen)["a"], "indexed_at") }
    ],
    max_retries: [
      {
        value: 0,
        service: fresh({ refusals: { a: [503] } }),
        expect: (seen) => {
          assert.match(seen.error, /did not take 1 of 2 documents, among them a: 503/)
          assert.lengthOf(writes(seen), 1)
          assert.deepStrictEqual(keys(seen), ["b"])
        }
      },
      {
        value: 3,
        service: fresh({ refusals: { a: [503, 409] } }),
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(sizes(seen), [2, 1, 1])
          assert.deepInclude(seen.summary, { indexed_count: 2, index_status: "success" })
        }
      },
      {
        value: 2,
        service: fresh({ first: [{ status: 503, body: { error: { code: "ServiceUnavailable", message: "Busy." } } }] }),
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(sizes(seen), [2, 2])
        }
      }
    ],
    retry_delay: [
      {
        value: 0.3,
        service: fresh({ refusals: { a: [422] } }),
        expect: (seen) => {
          succeeded(seen)
          assert.isAtLeast(seen.gaps.at(-1) ?? 0, 200)
        }
      }
    ],
    max_concurrent: [1, 2].map((value) => ({
      value,
      items: [chunks, chunks],
      service: fresh({}, fields, 60),
      expect: (seen: Seen) => {
        succeeded(seen)
        assert.strictEqual(seen.most, value)
      }
    })),
    timeout_secs: [
      {
        value: 1,
        service: fresh({}, fields, Number.POSITIVE_INFINITY),
        expect: ({ error }) => assert.match(error, /longer than 1 s|did not answer within 1 s/)
      }
    ],
    continue_on_error: [true, false].map((value) => ({
      value,
      with: { max_concurrent: 1 },
      items: [{ chunks: "none" }, chunks],
      service: fresh(),
      expect: (seen: Seen) => {
        assert.match(seen.error, /data\.chunks of .* is no list/)
        assert.deepStrictEqual(keys(seen), value ? ["a", "b"] : [])
      }
    }))
  }
})
