import * as Cosmos from "@azure/cosmos"
import { assert, describe, it, type Vitest } from "@effect/vitest"
import { Context, Effect, Either, Fiber, Layer, Option, TestClock } from "effect"
import { appendFileSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import { join } from "node:path"
import * as Credentials from "../../../src/azure/Credentials.ts"
import { cosmosKey } from "../../../src/cli/demo/Emulators.ts"
import * as Database from "../../../src/embedded/Database.ts"
import * as LookupFiles from "../../../src/embedded/LookupFiles.ts"
import * as SqliteLookup from "../../../src/embedded/SqliteLookup.ts"
import * as EndpointValves from "../../../src/concurrency/EndpointValves.ts"
import { executor } from "../../../src/executors/transform/CosmosDbLookup.ts"
import * as CosmosLookup from "../../../src/store/CosmosLookup.ts"
import { LookupStore } from "../../../src/store/LookupStore.ts"
import { parametersOf } from "../../../src/executors/transform/lookup/QueryText.ts"
import * as CosmosServer from "../../../src/testing/CosmosServer.ts"
import * as Folders from "../../support/Folders.ts"
import { pausesFor, until } from "../../support/RealTime.ts"
import { item, runNode } from "../NodeRun.ts"

const orders = [
  { id: "o1", tenant: "north", code: "A-1", total: 10 },
  { id: "o2", tenant: "north", code: "A-2", total: 20 },
  { id: "o3", tenant: "south", code: "A-1", total: 30 },
  { id: "n1", tenant: 7, code: "N", total: 40 }
]

/** The orders, partitioned by tenant. */
const seeded = Layer.effectDiscard(
  Effect.gen(function* () {
    const { endpoint } = yield* CosmosServer.CosmosServer
    const client = new Cosmos.CosmosClient({
      endpoint,
      key: cosmosKey,
      connectionPolicy: { enableEndpointDiscovery: false }
    })
    yield* Effect.promise(async () => {
      const { database } = await client.databases.createIfNotExists({ id: "shop" })
      await fill(database)
      client.dispose()
    })
  })
)

const fill = async (database: Cosmos.Database) => {
  const { container } = await database.containers.createIfNotExists({
    id: "orders",
    partitionKey: { paths: ["/tenant"] }
  })
  for (const order of orders) await container.items.create(order)
}

/** A way to the emulator that notes the partition keys of queries. */
const recorded = Effect.gen(function* () {
  const { endpoint } = yield* CosmosServer.CosmosServer
  const partitions: Array<string> = []
  const server = http.createServer((request, response) => {
    const key = request.headers["x-ms-documentdb-partitionkey"]
    if (request.headers["x-ms-documentdb-isquery"] !== undefined && typeof key === "string") partitions.push(key)
    const { method, url } = request
    const onward = http.request(
      `${endpoint.replace(/\/$/, "")}${url}`,
      { method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      }
    )
    request.pipe(onward)
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  const address = server.address()
  return { partitions, endpoint: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}` }
})

/** The account with the orders, wherever it is. */
class Shop extends Context.Tag("test/Shop")<Shop, { readonly endpoint: string }>() {}

const onEmulator = Layer.mergeAll(
  CosmosLookup.layer,
  EndpointValves.layer,
  seeded,
  Layer.effect(Shop, CosmosServer.CosmosServer)
).pipe(Layer.provideMerge(CosmosServer.layer))

/** A folder with the orders, as people put them there: single documents, lists, and one a line. */
const filled = Effect.gen(function* () {
  const folder = yield* Folders.temporary
  const container = join(folder, "lookups", "acct", "shop", "orders")
  mkdirSync(join(container, "more"), { recursive: true })
  writeFileSync(join(container, "north.json"), JSON.stringify(orders.slice(0, 2)))
  writeFileSync(join(container, "o3.json"), JSON.stringify({ ...orders[2], _etag: "of Azure", _ts: 1 }))
  writeFileSync(join(container, "more", "n.jsonl"), `\n${JSON.stringify(orders[3])}\n`)
  return folder
})

const inFolder = Layer.unwrapScoped(
  Effect.map(filled, (folder) =>
    Layer.mergeAll(
      SqliteLookup.layer({
        folder: join(folder, "lookups"),
        partitionKeys: new Map([["acct/shop/orders", "/tenant"]])
      }),
      EndpointValves.layer,
      Layer.succeed(Shop, { endpoint: "https://acct.documents.azure.com:443/" })
    ).pipe(Layer.provideMerge(Database.layer({ file: join(folder, "worker.db") })), Layer.orDie)
  )
)

const lookUp = (settings: Readonly<Record<string, unknown>>, items: Parameters<typeof runNode>[3]) =>
  Effect.flatMap(Shop, ({ endpoint }) =>
    runNode(
      executor,
      "lookup",
      {
        cosmos_endpoint: endpoint,
        cosmos_key: cosmosKey,
        cosmos_database: "shop",
        cosmos_container: "orders",
        fail_pipeline_on_error: false,
        ...settings
      },
      items
    )
  )

const byCode = {
  query_template: "SELECT * FROM c WHERE c.code = @code ORDER BY c.id",
  field_mappings: '{"code": "order.code"}'
}
const byId = { lookup_mode: "point_read", field_mappings: { id: "order", "@partition_key": "tenant.name" } }

const totals = (...values: ReadonlyArray<number>) => values.map((total) => ({ total }))

/** Queries, and what they find among the orders. */
const queries: ReadonlyArray<readonly [query: string, expected: unknown]> = [
  ["SELECT c.total FROM c WHERE c.tenant = @t ORDER BY c.total DESC", totals(20, 10)],
  ["select value o.id from orders o where o.total >= @n and not (o.total = 30) order by o.id", ["n1", "o2"]],
  ["SELECT TOP 1 VALUE c.id FROM c ORDER BY c.total DESC", ["n1"]],
  ["SELECT VALUE COUNT(1) FROM c", [4]],
  [
    "SELECT COUNT(1) AS n, SUM(c.total) AS s, MIN(c.total) AS low, MAX(c.total) AS high, AVG(c.total) AS mean FROM c",
    [{ n: 4, s: 100, low: 10, high: 40, mean: 25 }]
  ],
  ["SELECT VALUE c.id FROM c WHERE c.code IN ('A-2', 'N') ORDER BY c.id", ["n1", "o2"]],
  ["SELECT VALUE c.id FROM c WHERE c.total BETWEEN 15 AND 30 ORDER BY c.id", ["o2", "o3"]],
  ["SELECT VALUE c.id FROM c WHERE STARTSWITH(c.code, 'A') AND c.total + 5 > 20 ORDER BY c.id", ["o2", "o3"]],
  ["SELECT VALUE c.id FROM c WHERE c.none = null OR c['tenant'] = 7", ["n1"]],
  ["SELECT VALUE c.id FROM c WHERE NOT IS_DEFINED(c.none) AND IS_STRING(c.tenant) ORDER BY c.id", ["o1", "o2", "o3"]],
  [
    "SELECT VALUE {'sum': c.total * 2 - 1, \"list\": [c.id, UPPER('x')]} FROM c WHERE c.id = 'o1' -- one",
    [{ sum: 19, list: ["o1", "X"] }]
  ],
  [
    "SELECT c.id, CONCAT(c.id, '-', c.code) AS both, c.none FROM c WHERE CONTAINS(c.code, '2')",
    [{ id: "o2", both: "o2-A-2" }]
  ],
  ["SELECT VALUE (c.total > 25 ? 'much' : 'little') FROM c WHERE c.code = 'A-1' ORDER BY c.id", ["little", "much"]],
  ["SELECT VALUE c.none ?? 'nothing' FROM c WHERE c.id = 'o1'", ["nothing"]]
]

const result = (found: { readonly data: Readonly<Record<string, unknown>> } | undefined) =>
  found?.data["cosmos_lookup_result"]

const idsOf = (value: unknown) => (value as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id)

/** What holds wherever the documents are. */
const suite = (it: Vitest.MethodsNonLive<Shop | LookupStore | EndpointValves.EndpointValves>) => {
  it.effect("reads one document by id and partition key, without what the service adds", () =>
    Effect.gen(function* () {
      const [found] = yield* lookUp(byId, [item({ order: "o3", tenant: { name: "south" }, kept: 1 })])
      assert.deepStrictEqual(result(found), orders[2])
      assert.deepStrictEqual(found?.summary_data, { cosmos_lookup_status: "success" })
      assert.strictEqual(found?.data["kept"], 1)
      assert.strictEqual(found?.executor_logs[0]?.status, "completed")
      const [full] = yield* lookUp({ ...byId, include_system_properties: true }, [
        item({ order: "n1", tenant: { name: 7 } })
      ])
      assert.containsAllKeys(result(full), ["_etag", "_ts", "total"])
    })
  )

  it.effect("gives null for a document that is not there, or a key that is not given", () =>
    Effect.gen(function* () {
      const items = [
        item({ order: "o1", tenant: { name: "south" } }),
        item({ order: "a/b?c", tenant: { name: "south" } }),
        item({ tenant: { name: "south" } }),
        item({ order: "o1" }),
        item({ order: 12, tenant: { name: 7 } })
      ]
      const found = yield* lookUp(byId, items)
      assert.deepStrictEqual(
        found.map((each) => [result(each), each.summary_data["cosmos_lookup_status"]]),
        items.map(() => [null, "success"])
      )
    })
  )

  it.effect("queries with parameters, in the shape that is asked for", () =>
    Effect.gen(function* () {
      const items = [item({ order: { code: "A-1" }, tenant: "south" }), item({ order: {}, tenant: "south" })]
      const all = yield* lookUp(byCode, items)
      assert.deepStrictEqual(
        all.map((each) => idsOf(result(each))),
        [["o1", "o3"], []]
      )
      assert.notProperty(all[0]?.summary_data, "cosmos_lookup_warning")
      const flat = yield* lookUp({ ...byCode, flatten_single: true, output_field: "o.x" }, [
        item({ order: { code: "A-2" } }),
        item({ order: { code: "none" } })
      ])
      assert.deepStrictEqual(
        flat.map(({ data }) => data["o.x"]),
        [orders[1], []]
      )
      const first = yield* lookUp({ ...byCode, result_mode: "first" }, items)
      assert.deepStrictEqual(first.map(result), [orders[0], null])
      const values = yield* lookUp(
        { query_template: "SELECT VALUE c.total FROM c WHERE c.total > @least", field_mappings: { "@least": "n" } },
        [item({ n: 15 })]
      )
      assert.sameMembers(result(values[0]) as Array<number>, [20, 30, 40])
    })
  )

  it.effect("says when a partition was asked for and the item names none", () =>
    Effect.gen(function* () {
      const [found] = yield* lookUp({ ...byCode, partition_key_field: "tenant" }, [item({ order: { code: "A-1" } })])
      assert.deepStrictEqual(idsOf(result(found)), ["o1", "o3"])
      assert.include(String(found?.summary_data["cosmos_lookup_warning"]), "partition_key_field")
    })
  )

  it.effect("gives no more results than max_results, and fetches no more", () =>
    Effect.gen(function* () {
      const [found] = yield* lookUp(
        { query_template: "SELECT * FROM c WHERE c.total > @least", field_mappings: { least: "n" }, max_results: 2 },
        [item({ n: 0 })]
      )
      assert.lengthOf(result(found) as ReadonlyArray<unknown>, 2)
    })
  )

  it.effect("marks an item that it can't look up, and fails the node only if told so", () =>
    Effect.gen(function* () {
      const query = { query_template: "SELECT * FRM c", field_mappings: {} }
      const [found] = yield* lookUp(query, [item({ kept: 1 })])
      assert.isNull(result(found))
      assert.strictEqual(found?.data["kept"], 1)
      assert.strictEqual(found?.summary_data["cosmos_lookup_status"], "error")
      assert.isNotEmpty(found?.summary_data["cosmos_lookup_error"])
      assert.strictEqual(found?.executor_logs[0]?.status, "failed")
      const error = yield* Effect.flip(lookUp({ ...query, fail_pipeline_on_error: true }, [item({})]))
      assert.deepInclude(error, { _tag: "ExecutorError", reason: "Document" })
      const [list] = yield* lookUp({ ...byCode, partition_key_field: "tenant" }, [item({ tenant: ["a"] })])
      assert.include(String(list?.summary_data["cosmos_lookup_error"]), "partition key")
    })
  )

  it.effect("marks an item whose time is up", () =>
    Effect.gen(function* () {
      const hanging = Layer.succeed(LookupStore, {
        open: () => Effect.succeed({ read: () => Effect.never, query: () => Effect.never })
      })
      const fiber = yield* Effect.fork(
        Effect.provide(lookUp({ ...byId, timeout_secs: 10 }, [item({ order: "o1", tenant: { name: "x" } })]), hanging)
      )
      yield* TestClock.adjust("11 seconds")
      const [found] = yield* Fiber.join(fiber)
      assert.isNull(result(found))
      assert.deepInclude(found?.summary_data, { cosmos_lookup_status: "error" })
      assert.match(String(found?.executor_logs[0]?.errors), /timeout_secs/)
    })
  )

  it.effect("says which container is not there", () =>
    Effect.gen(function* () {
      const [missing] = yield* lookUp({ ...byCode, cosmos_container: "none" }, [item({ order: { code: "A-1" } })])
      assert.include(String(missing?.summary_data["cosmos_lookup_error"]), "no container shop/none")
    })
  )

  for (const [query, expected] of queries) {
    it.effect(`answers ${query}`, () =>
      Effect.gen(function* () {
        const [found] = yield* lookUp({ query_template: query, field_mappings: { "@n": "n", "@t": "t" } }, [
          item({ n: 20, t: "north" })
        ])
        assert.strictEqual(found?.summary_data["cosmos_lookup_error"], undefined)
        assert.deepStrictEqual(result(found), expected)
      })
    )
  }
}

it.layer(onEmulator)("cosmos_db_lookup", (it) => {
  suite(it)

  it.scoped("looks into the partition that the item names", () =>
    Effect.gen(function* () {
      // The emulator looks into all of them all the same, so this is about what it is asked for.
      const { endpoint, partitions } = yield* recorded
      const settings = { ...byCode, cosmos_endpoint: endpoint }
      const items = [item({ order: { code: "A-1" }, tenant: "south" }), item({ order: { code: "N" }, tenant: 7 })]
      yield* lookUp({ ...settings, partition_key_field: "tenant" }, items)
      assert.sameMembers([...partitions], ['["south"]', "[7]"])
      yield* lookUp(settings, items)
      assert.sameMembers([...partitions], ['["south"]', "[7]"])
    })
  )

  it.effect("names the settings that are wrong when there is no access", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      server.answerNext({ status: 401, when: ({ path }) => path.includes("/docs") })
      const [denied] = yield* lookUp(byId, [item({ order: "o1", tenant: { name: "north" } })])
      assert.match(String(denied?.summary_data["cosmos_lookup_error"]), /shop\/orders.*cosmos_key/)
    })
  )

  it.effect("waits when the service asks to, and tells what may heal", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const one = [item({ order: "o1", tenant: { name: "north" } })]
      server.answerNext({ status: 429, headers: { "x-ms-retry-after-ms": "3000" }, times: 2 })
      const before = server.log.length
      const fiber = yield* Effect.fork(lookUp(byId, one))
      for (const refused of [1, 2]) {
        yield* until(Effect.sync(() => server.log.length === before + refused))
        yield* until(pausesFor("4 seconds"))
        yield* TestClock.adjust("4 seconds")
      }
      assert.deepStrictEqual(result((yield* Fiber.join(fiber))[0]), orders[0])
      server.answerNext({ status: 503 })
      const error = yield* Effect.flip(lookUp({ ...byId, fail_pipeline_on_error: true }, one))
      assert.deepInclude(error, { reason: "Transient" })
    })
  )

  it.effect(
    "signs in as the worker, once for all runs, where Credentials are there, and says so where they are not",
    () =>
      Effect.gen(function* () {
        const { endpoint } = yield* CosmosServer.CosmosServer
        const settings = {
          ...byId,
          credential_type: "default_azure_credential",
          cosmos_key: null,
          cosmos_endpoint: endpoint.replace("http:", "https:")
        }
        const one = [item({ order: "o1", tenant: { name: "north" } })]
        const [without] = yield* lookUp(settings, one)
        assert.include(String(without?.summary_data["cosmos_lookup_error"]), "no Azure identity")
        const asked: Array<string | ReadonlyArray<string>> = []
        const credentials = Credentials.layerOf({
          getToken: (scope) => {
            asked.push(scope)
            return Promise.resolve({ token: "token", expiresOnTimestamp: 4e12 })
          }
        })
        const store = yield* Layer.build(Layer.fresh(CosmosLookup.layer).pipe(Layer.provide(credentials)))
        // The emulator has no TLS, without which no token is sent: what can be seen is that the token was asked for.
        const [tried] = yield* Effect.provideService(
          lookUp(settings, one),
          LookupStore,
          Context.get(store, LookupStore)
        )
        assert.notInclude(String(tried?.summary_data["cosmos_lookup_error"]), "no Azure identity")
        assert.isAbove(asked.length, 0)
        // The next run has the same client, which has its token.
        const before = asked.length
        yield* Effect.provideService(lookUp(settings, one), LookupStore, Context.get(store, LookupStore))
        assert.lengthOf(asked, before)
      }).pipe(Effect.scoped)
  )
})

it.layer(inFolder)("cosmos_db_lookup in a folder", (it) => {
  suite(it)

  it.effect("looks into the partition that the item names", () =>
    Effect.gen(function* () {
      const found = yield* lookUp({ ...byCode, partition_key_field: "tenant" }, [
        item({ order: { code: "A-1" }, tenant: "south" }),
        item({ order: { code: "N" }, tenant: 7 }),
        item({ order: { code: "N" }, tenant: "7" })
      ])
      assert.deepStrictEqual(
        found.map((each) => idsOf(result(each))),
        [["o3"], ["n1"], []]
      )
    })
  )
})

describe("the documents of a folder's lookups", () => {
  const lookups = (folder: string, endpoint = "https://acct.documents.azure.com", settled = 0) =>
    Effect.provide(
      Effect.flatMap(LookupStore, (store) =>
        store.open({ endpoint, key: null, database: "shop", container: "orders" })
      ),
      SqliteLookup.layer({ folder: join(folder, "lookups"), settled })
    )
  const ids = { query: "SELECT VALUE c.id FROM c ORDER BY c.id", parameters: [], partitionKey: null, limit: 100 }
  const later = TestClock.adjust("2 seconds")

  it.scoped("follow the files, and stay as they were while a file is broken", () =>
    Effect.gen(function* () {
      const folder = yield* filled
      const container = join(folder, "lookups", "acct", "shop", "orders")
      yield* Effect.gen(function* () {
        const orders = yield* lookups(folder)
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "o1", "o2", "o3"])
        appendFileSync(join(container, "more", "n.jsonl"), '{"id":"n2"}\n')
        rmSync(join(container, "o3.json"))
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "n2", "o1", "o2"])
        writeFileSync(join(container, "north.json"), '[{"id": "o1"}, {"id"')
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "n2", "o1", "o2"])
        assert.isTrue(Option.isSome(yield* orders.read("o2", "o2")))
        truncateSync(join(container, "north.json"), LookupFiles.mostBytes + 1)
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "n2", "o1", "o2"])
        writeFileSync(join(container, "north.json"), '[{"id": "o1", "new": true}]')
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "n2", "o1"])
        // What a query found is the caller's own.
        const [first] = yield* orders.query({ ...ids, query: "SELECT * FROM c WHERE c.id = 'o1'" })
        ;(first as { new: boolean }).new = false
        assert.deepStrictEqual(yield* orders.query({ ...ids, query: "SELECT VALUE c.new FROM c WHERE c.id = 'o1'" }), [
          true
        ])
      }).pipe(Effect.provide(Database.layer({ file: join(folder, "worker.db") })))
    })
  )

  it.scoped("follow a file that rests, also one from the future", () =>
    Effect.gen(function* () {
      const folder = yield* filled
      const file = join(folder, "lookups", "acct", "shop", "orders", "o3.json")
      yield* Effect.gen(function* () {
        const orders = yield* lookups(folder, undefined, 60_000)
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "o1", "o2", "o3"])
        writeFileSync(file, '{"id": "o4"}')
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "o1", "o2", "o3"])
        const soon = Date.now() / 1_000 + 86_400
        utimesSync(file, soon, soon)
        yield* later
        assert.deepStrictEqual(yield* orders.query(ids), ["n1", "o1", "o2", "o4"])
      }).pipe(Effect.provide(Database.layer({ file: join(folder, "worker.db") })))
    })
  )

  it.scoped("are refused with the place of what is wrong", () =>
    Effect.gen(function* () {
      const folder = yield* Folders.temporary
      const container = join(folder, "lookups", "localhost", "shop", "orders")
      mkdirSync(container, { recursive: true })
      yield* Effect.gen(function* () {
        const orders = yield* lookups(folder, "http://localhost:8081")
        for (const [name, text, message] of [
          ["a.json", "{", /a\.json: this is not JSON/],
          ["a.json", '[{"id": "x"}, 7]', /a\.json, document 2: a document is an object/],
          ["a.json", '{"name": "x"}', /a\.json: a document needs an id/],
          ["a.json", '{"id": "a/b"}', /a\.json: a document needs an id/],
          ["a.jsonl", '{"id": "x"}\n{"id"', /a\.jsonl, line 2: this is not JSON/],
          ["a.json", `{"id": "x", "deep": ${"[".repeat(200)}${"]".repeat(200)}}`, /128 levels/]
        ] as const) {
          writeFileSync(join(container, name), text)
          const error = yield* Effect.flip(orders.query(ids))
          assert.strictEqual(error._tag, "Invalid")
          assert.match(error.message, message)
          rmSync(join(container, name))
        }
        rmSync(container, { recursive: true })
        const error = yield* Effect.flip(orders.query(ids))
        assert.strictEqual(error._tag, "NotFound")
        assert.include(error.message, container)
      }).pipe(Effect.provide(Database.layer({ file: join(folder, "worker.db") })))
    })
  )

  it("belong to the account that the endpoint names", () => {
    assert.strictEqual(SqliteLookup.accountOf("https://acct.documents.azure.com:443/"), "acct")
    assert.strictEqual(SqliteLookup.accountOf("https://ACCT.documents.azure.us"), "acct")
    assert.strictEqual(SqliteLookup.accountOf("http://127.0.0.1:8081"), "127.0.0.1")
    assert.strictEqual(SqliteLookup.accountOf("https://cosmos.example"), "cosmos.example")
  })
})

describe("settings of cosmos_db_lookup", () => {
  const good = {
    cosmos_endpoint: "https://acct.documents.azure.com:443/",
    cosmos_key: "a2V5",
    cosmos_database: "d",
    cosmos_container: "c",
    query_template: "SELECT * FROM c WHERE c.a = @a AND c.b = '@b' -- @c",
    field_mappings: { a: "x.y" }
  }
  const problemsOf = (settings: Readonly<Record<string, unknown>>) =>
    Either.match(executor.prepare(settings), { onLeft: (found) => found.map(({ path }) => path[0]), onRight: () => [] })

  it("are checked together", () => {
    assert.deepStrictEqual(problemsOf(good), [])
    assert.isFalse(executor.failOnError)
    assert.deepStrictEqual(problemsOf({}), ["cosmos_endpoint", "cosmos_database", "cosmos_container"])
    assert.deepStrictEqual(problemsOf({ ...good, cosmos_key: null }), ["cosmos_key"])
    assert.deepStrictEqual(problemsOf({ ...good, cosmos_key: null, credential_type: "default_azure_credential" }), [])
    assert.deepStrictEqual(problemsOf({ ...good, query_template: "" }), ["query_template"])
    assert.deepStrictEqual(problemsOf({ ...good, query_template: "SELECT @other" }), ["query_template"])
    assert.deepStrictEqual(problemsOf({ ...good, lookup_mode: "point_read" }), ["field_mappings"])
    assert.deepStrictEqual(problemsOf({ ...good, field_mappings: "a=b" }), ["field_mappings"])
    assert.deepStrictEqual(problemsOf({ ...good, field_mappings: { a: 1 } }), ["field_mappings"])
    assert.deepStrictEqual(problemsOf({ ...good, max_results: 1001 }), ["max_results"])
    assert.deepStrictEqual(problemsOf({ ...good, lookup_mode: "scan" }), ["lookup_mode"])
  })

  it("send the worker's token to Azure alone", () => {
    const signIn = { ...good, cosmos_key: null, credential_type: "default_azure_credential" }
    for (const [cosmos_endpoint, isGood] of [
      ["https://acct.documents.azure.us/", true],
      ["https://acct-westeurope.documents.azure.com", true],
      ["https://localhost:8081", true],
      ["http://127.0.0.1:8081", false],
      ["http://acct.documents.azure.com/", false],
      ["https://evil.test/", false],
      ["https://documents.azure.com.evil.test/", false],
      ["https://evildocuments.azure.com/", false],
      ["https://evil.test/.documents.azure.com", false],
      ["https://acct.documents.azure.com@evil.test/", false],
      ["acct.documents.azure.com", false]
    ] as const) {
      assert.deepStrictEqual(
        problemsOf({ ...signIn, cosmos_endpoint }),
        isGood ? [] : ["cosmos_endpoint"],
        cosmos_endpoint
      )
    }
  })

  it("find the parameters of a query", () => {
    assert.deepStrictEqual(
      parametersOf(`SELECT "@x", 'it\\'s @y' FROM c WHERE c.a=@a OR c.b IN (@b_2,@a) -- @z\nAND @c`),
      ["@a", "@b_2", "@c"]
    )
  })
})
