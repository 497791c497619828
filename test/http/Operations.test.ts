import { HttpServer } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, type Scope, TestClock } from "effect"
import * as Jose from "jose"
import { type ClientRequest, createServer, request as httpRequest } from "node:http"
import * as AccessConfig from "../../src/config/AccessConfig.ts"
import * as Changes from "../../src/http/Changes.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { until } from "../support/RealTime.ts"

const start = Date.parse("2026-01-02T10:00:00Z")

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(Effect.zipRight(TestClock.setTime(start), body())))

const operator = "an operator's token"
const reader = "a reader's token of ours"

const access: AccessConfig.AccessSettings = {
  operatorToken: Redacted.make(operator),
  readerToken: Redacted.make(reader),
  issuer: null,
  local: null
}

const serving = (settings?: AccessConfig.AccessSettings) =>
  Layer.build(WorkerHttp.layerAt("127.0.0.1", 0, settings).pipe(Layer.provide(Engine.engine()))).pipe(
    Effect.map((context) => Context.get(context, HttpServer.HttpServer).address),
    Effect.flatMap((address) =>
      address._tag === "TcpAddress" ? Effect.succeed(address.port) : Effect.dieMessage("no TCP address")
    )
  )

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
}

interface Asked {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Unlike `fetch`, it sends whatever host and origin it is told. */
const ask = (port: number, path: string, { body, headers = {}, method = "GET", token }: Asked = {}) =>
  Effect.async<Answer>((resume) => {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body)
    const sent = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: {
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers
        }
      },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () =>
          resume(
            Effect.succeed({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString("utf8")
            })
          )
        )
      }
    )
    sent.on("error", () => resume(Effect.succeed({ status: 0, headers: {}, text: "" })))
    sent.end(text)
  })

const json = ({ text }: Answer) => JSON.parse(text) as Record<string, unknown>

const failed = (id: number, more: Record<string, unknown> = {}) =>
  Effect.flatMap(MemoryStores, (stores) =>
    stores.executions.upsert({
      ...Engine.execution(id),
      status: "failed",
      error: "The file is cut short",
      content: [{ id: Engine.item(`doc-${id}`).id }],
      ...more
    })
  )

interface Signing {
  readonly aud: string
  readonly ends: string
  readonly iss: string
  readonly key: Jose.CryptoKey
}

/** Serves the public key of one of two pairs, as an issuer of tokens does. */
const issuer = Effect.gen(function* () {
  const algorithm = "ES256"
  const [keys, other] = yield* Effect.promise(() =>
    Promise.all([Jose.generateKeyPair(algorithm), Jose.generateKeyPair(algorithm)])
  )
  const key = { ...(yield* Effect.promise(() => Jose.exportJWK(keys.publicKey))), kid: "one", alg: algorithm }
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [key] })))
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  const address = server.address()
  return { algorithm, keys, other, port: typeof address === "object" ? (address?.port ?? 0) : 0 }
})

describe("operations over HTTP", () => {
  test("are not served where nobody is named, and say the way out; health and metrics are", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      for (const path of ["/executions", "/poison", "/vaults", "/workers", "/operations", "/events", "/session"]) {
        const answer = yield* ask(port, path, { token: operator })
        assert.strictEqual(answer.status, 403, path)
        assert.include(answer.text, "OPERATOR_TOKEN")
      }
      for (const path of ["/", "/health", "/status", "/metrics"]) {
        assert.strictEqual((yield* ask(port, path)).status, 200, path)
      }
    }))

  test("need a token: a reader sees, an operator acts", () =>
    Effect.gen(function* () {
      yield* failed(1)
      const port = yield* serving(access)
      assert.strictEqual((yield* ask(port, "/executions")).status, 401)
      assert.strictEqual((yield* ask(port, "/executions", { token: "a wrong one" })).status, 401)
      const listed = yield* ask(port, "/executions?status=failed&error=CUT", { token: reader })
      assert.strictEqual(listed.status, 200)
      assert.deepStrictEqual(
        (json(listed)["items"] as ReadonlyArray<{ id: string }>).map(({ id }) => id),
        ["exec_1"]
      )
      const retry = { method: "POST", token: reader }
      assert.strictEqual((yield* ask(port, "/executions/exec_1/retry", retry)).status, 403)
      assert.strictEqual((yield* ask(port, "/executions/exec_1", { method: "DELETE", token: reader })).status, 403)
      const done = yield* ask(port, "/executions/exec_1/retry", { ...retry, token: operator })
      assert.strictEqual(done.status, 200)
      assert.strictEqual(json(done)["by"], "operator")
      yield* Engine.pass(5)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.strictEqual((yield* ask(port, "/executions/exec_0", { token: reader })).status, 404)
      assert.strictEqual(
        (yield* ask(port, "/executions/exec_1/cancel", { method: "POST", token: operator })).status,
        409
      )
    }))

  test("let no one guess: after ten wrong tokens the address waits", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      for (let i = 0; i < 10; i++) {
        assert.strictEqual((yield* ask(port, "/executions", { token: `guess ${i}` })).status, 401)
      }
      assert.strictEqual((yield* ask(port, "/executions", { token: operator })).status, 429)
      yield* Engine.pass(61)
      assert.strictEqual((yield* ask(port, "/executions", { token: operator })).status, 200)
    }))

  test("take tokens that an issuer signed for this worker, by their roles, and no others", () =>
    Effect.gen(function* () {
      const { algorithm, keys, other, port: issuing } = yield* issuer
      const name = `http://127.0.0.1:${issuing}`
      const audience = "worker"
      const roles = { operatorRole: "Operator", readerRole: "Reader" }
      const port = yield* serving({ ...AccessConfig.nobody, issuer: { issuer: name, audience, ...roles } })
      const token = (
        claims: Record<string, unknown>,
        { aud = audience, ends = "1h", iss = name, key = keys.privateKey }: Partial<Signing> = {}
      ) =>
        Effect.promise(() =>
          new Jose.SignJWT(claims)
            .setProtectedHeader({ alg: algorithm, kid: "one" })
            .setIssuer(iss)
            .setAudience(aud)
            .setExpirationTime(ends)
            .sign(key)
        )
      const seen = (given: string) => Effect.map(ask(port, "/executions", { token: given }), ({ status }) => status)
      const done = (given: string) =>
        Effect.map(ask(port, "/executions/exec_0", { method: "DELETE", token: given }), ({ status }) => status)
      const reading = yield* token({ roles: ["Reader"], name: "Ann" })
      assert.deepStrictEqual([yield* seen(reading), yield* done(reading)], [200, 403])
      const operating = yield* token({ roles: ["Other", "Operator"] })
      assert.deepStrictEqual([yield* seen(operating), yield* done(operating)], [200, 404])
      const all = { roles: ["Operator"] }
      const payload = operating.split(".")[1] ?? ""
      for (const wrong of [
        yield* token({ roles: ["operator"] }),
        yield* token({ roles: "Operator" }),
        yield* token(all, { aud: "another" }),
        yield* token(all, { iss: `${name}/elsewhere` }),
        yield* token(all, { ends: "-1h" }),
        yield* token(all, { key: other.privateKey }),
        `${Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")}.${payload}.`
      ]) {
        assert.strictEqual(yield* seen(wrong), 401, wrong)
      }
    }))

  test("say that an issuer's keys can't be read, and count no token as wrong meanwhile", () =>
    Effect.gen(function* () {
      const refused = { audience: "worker", operatorRole: "Operator", readerRole: "Reader" }
      // Nothing listens there.
      const port = yield* serving({ ...access, issuer: { issuer: "http://127.0.0.1:9", ...refused } })
      const { privateKey } = yield* Effect.promise(() => Jose.generateKeyPair("ES256"))
      const token = yield* Effect.promise(() =>
        new Jose.SignJWT({ roles: ["Operator"] }).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(privateKey)
      )
      for (let i = 0; i < 12; i++) {
        const answer = yield* ask(port, "/executions", { token })
        assert.strictEqual(answer.status, 503)
        assert.include(answer.text, "http://127.0.0.1:9")
      }
      assert.strictEqual((yield* ask(port, "/executions", { token: operator })).status, 200)
      assert.strictEqual((yield* ask(port, "/executions", { token: "no token of that issuer" })).status, 401)
    }))

  test("take no request of another site's page, by token or by session", () =>
    Effect.gen(function* () {
      yield* failed(1)
      const port = yield* serving(access)
      const forged = { origin: "https://evil.example" }
      const act = { method: "POST", headers: forged }
      assert.strictEqual((yield* ask(port, "/executions/exec_1/retry", { ...act, token: operator })).status, 403)
      const signedIn = yield* ask(port, "/session", { method: "POST", token: operator })
      const [cookie = ""] = (signedIn.headers["set-cookie"] as ReadonlyArray<string>) ?? []
      assert.match(cookie, /HttpOnly/i)
      assert.match(cookie, /SameSite=Strict/i)
      const session = cookie.split(";")[0] ?? ""
      const host = `127.0.0.1:${port}`
      assert.strictEqual((yield* ask(port, "/executions", { headers: { cookie: session } })).status, 200)
      const tries = [{}, forged, { origin: "null" }, { origin: `http://${host}.evil.example` }]
      for (const headers of tries) {
        const answer = yield* ask(port, "/executions/exec_1/retry", {
          method: "POST",
          headers: { ...headers, cookie: session }
        })
        assert.isTrue([401, 403].includes(answer.status), JSON.stringify(headers))
      }
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      const own = { cookie: session, origin: `http://${host}` }
      assert.strictEqual((yield* ask(port, "/executions/exec_1/retry", { method: "POST", headers: own })).status, 200)
      const broken = session.slice(0, -2)
      assert.strictEqual((yield* ask(port, "/executions", { headers: { cookie: broken } })).status, 401)
    }))

  test("of one person's machine answer at a loopback name alone, and their token signs in once", () =>
    Effect.gen(function* () {
      const port = yield* serving({ ...access, operatorToken: null, readerToken: null, local: Redacted.make("once") })
      const host = { host: "evil.example" }
      assert.strictEqual((yield* ask(port, "/executions", { token: "once", headers: host })).status, 403)
      const signedIn = yield* ask(port, "/session", { method: "POST", token: "once" })
      assert.strictEqual(signedIn.status, 200)
      assert.strictEqual((yield* ask(port, "/session", { method: "POST", token: "once" })).status, 401)
    }))

  test("show texts of documents as data that nothing runs", () =>
    Effect.gen(function* () {
      const script = "<script>alert(1)</script>"
      yield* failed(1, { error: script })
      const port = yield* serving(access)
      const answer = yield* ask(port, "/executions", { token: reader })
      assert.include(String(answer.headers["content-type"]), "application/json")
      assert.strictEqual(answer.headers["x-content-type-options"], "nosniff")
      assert.include(String(answer.headers["content-security-policy"]), "default-src 'none'")
      const [item] = json(answer)["items"] as ReadonlyArray<Record<string, unknown>>
      assert.strictEqual(item?.["error"], script)
    }))

  test("read no large body, and go on", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      const submit = (body: unknown) => ask(port, "/tasks", { method: "POST", token: operator, body })
      const large = yield* submit({ pipeline: "Line", content: [{ data: { text: "x".repeat(10_000_000) } }] })
      // The connection ends in the middle of what is sent: the client hears the answer, or that it was cut.
      assert.isTrue([0, 413].includes(large.status), String(large.status))
      assert.strictEqual((yield* submit("{ no json")).status, 400)
      const sent = yield* submit({ pipeline: "Line", content: [{ id: "a letter" }] })
      assert.strictEqual(sent.status, 200)
      yield* Engine.pass(5)
      const shown = yield* ask(port, `/executions/${String(json(sent)["execution_id"])}`, { token: reader })
      assert.strictEqual((json(shown)["execution"] as Record<string, unknown>)["status"], "completed")
    }))

  test("pause, resume, count, and put back from the poison queue", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      const act = (path: string, body?: unknown, method = "POST") => ask(port, path, { method, token: operator, body })
      const pause = { scope: { of: "vault", id: Engine.vault.id }, work: "crawling" }
      assert.strictEqual((yield* act("/pauses", pause)).status, 200)
      const vault = json(yield* ask(port, `/vaults/${Engine.vault.id}`, { token: reader }))
      assert.strictEqual((vault["crawling_paused"] as Record<string, unknown>)["by"], "operator")
      assert.strictEqual((yield* act("/pauses/resume", pause)).status, 200)
      assert.deepStrictEqual(json(yield* ask(port, "/pauses", { token: reader }))["items"], [])
      for (let i = 1; i <= 3; i++) yield* failed(i)
      const count = { verb: "retry", filter: { status: ["failed"] }, dry_run: true }
      assert.deepStrictEqual(json(yield* act("/operations", count)), { count: 3, more: false })
      const begun = json(yield* act("/operations", { ...count, dry_run: false }))
      assert.strictEqual(begun["status"], "running")
      const queue = yield* TaskQueue
      yield* queue.sendPoison(Engine.message(7))
      const [entry] = json(yield* ask(port, "/poison", { token: reader }))["items"] as ReadonlyArray<{ id: string }>
      assert.strictEqual((yield* act(`/poison/${entry?.id}/put-back`)).status, 200)
      yield* Engine.pass(5)
      assert.strictEqual((yield* Engine.executionOf(7))?.["status"], "completed")
      const done = json(yield* ask(port, "/operations", { token: reader }))["items"] as ReadonlyArray<{ verb: string }>
      assert.deepStrictEqual(done.map(({ verb }) => verb).toSorted(), ["pause", "put_back", "resume", "retry"])
    }))

  test("confirm the deletions that a vault holds, by their token", () =>
    Effect.gen(function* () {
      const { checkpoints, vaults } = yield* MemoryStores
      yield* checkpoints.upsert({
        id: `${Engine.pipeline.id}_find_${Engine.vault.id}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: "find",
        vault_id: Engine.vault.id,
        checkpoint_timestamp: "2026-01-02T09:00:00+00:00",
        worker_id: "w",
        deletions_held: { token: "0a1b2c3d", documents: 5, of: 9 }
      })
      const port = yield* serving(access)
      const shown = json(yield* ask(port, `/vaults/${Engine.vault.id}`, { token: reader }))
      assert.deepStrictEqual(shown["deletions_held"], { token: "0a1b2c3d", documents: 5, of: 9, confirmed: false })
      const confirm = (token: string, body: unknown, id: string = Engine.vault.id) =>
        ask(port, `/vaults/${id}/confirm-deletions`, { method: "POST", token, body })
      const right = { token: "0a1b2c3d" }
      assert.strictEqual((yield* confirm(reader, right)).status, 403)
      assert.strictEqual((yield* confirm("no token", right)).status, 401)
      for (const [body, status] of [
        [{}, 400],
        [{ token: "" }, 400],
        [{ token: "x".repeat(1_000) }, 400],
        [{ token: "before" }, 409]
      ] as const) {
        assert.strictEqual((yield* confirm(operator, body)).status, status, JSON.stringify(body))
      }
      assert.strictEqual((yield* confirm(operator, right, "nowhere")).status, 404)
      assert.isUndefined(vaults.documents.get(Engine.vault.id)?.["confirmed_deletions"])
      for (let i = 0; i < 2; i++) {
        const done = yield* confirm(operator, right)
        assert.strictEqual(done.status, 200)
        assert.deepInclude(json(done), { verb: "confirm_deletions", by: "operator", done: 5 })
      }
      assert.strictEqual(vaults.documents.get(Engine.vault.id)?.["confirmed_deletions"], "0a1b2c3d")
    }))

  test("take nothing for a time that is none, no count that is none, and no filter without what it compares with", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      yield* failed(1)
      const queue = yield* TaskQueue
      yield* queue.sendPoison(Engine.message(7))
      const vault_id = Engine.vault.id
      for (const request of [
        { verb: "discard", filter: { before: "last week" } },
        { verb: "put_back", filter: { before: "31.12.2025" } },
        { verb: "delete", filter: { to: "yesterday" } },
        { verb: "retry", filter: { from: "2026-13-01" } },
        { verb: "backfill", filter: { vault_id, which: "changed_since", since: "monday" } },
        { verb: "backfill", filter: { vault_id, which: "changed_since" } },
        { verb: "backfill", filter: { vault_id, which: "older_version" } },
        { verb: "retry", filter: {}, rate_per_second: 0.001 },
        { verb: "retry", filter: {}, rate_per_second: 1e9 }
      ]) {
        const answer = yield* ask(port, "/operations", { method: "POST", token: operator, body: request })
        assert.strictEqual(answer.status, 400, JSON.stringify(request))
      }
      for (const path of [
        "/executions?to=yesterday",
        "/poison?before=yesterday",
        "/executions?limit=NaN",
        "/operations?limit=0",
        "/poison?limit=1.5"
      ]) {
        assert.strictEqual((yield* ask(port, path, { token: reader })).status, 400, path)
      }
      yield* Engine.pass(10)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      assert.lengthOf(yield* queue.peekPoison(10), 1)
      const valid = { verb: "discard", filter: { before: "2026-01-03" }, rate_per_second: 0.5 }
      assert.strictEqual(
        (yield* ask(port, "/operations", { method: "POST", token: operator, body: valid })).status,
        200
      )
    }))

  test("take nothing that is misspelt: half a filter would mean everything", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      yield* failed(1)
      const queue = yield* TaskQueue
      yield* queue.sendPoison(Engine.message(7))
      const vault_id = Engine.vault.id
      const cases: ReadonlyArray<readonly [string, unknown, string]> = [
        ["/operations", { verb: "delete", filter: { documnt: "x" } }, "`filter.documnt`"],
        ["/operations", { verb: "discard", filter: { reason: "x", vault: "v" } }, "`filter.vault`"],
        ["/operations", { verb: "backfill", filter: { vault_id, which: "all", doc: "x" } }, "`filter.doc`"],
        ["/operations", { verb: "delete", filter: {}, dryRun: true }, "`dryRun`"],
        ["/pauses", { scope: { of: "all" }, works: "crawling" }, "`works`"],
        ["/tasks", { pipeline: Engine.pipeline.id, content: [{ id: "x", dat: {} }] }, "`content[0].dat`"]
      ]
      for (const [path, body, place] of cases) {
        const answer = yield* ask(port, path, { method: "POST", token: operator, body })
        assert.strictEqual(answer.status, 400, JSON.stringify(body))
        assert.include(String(json(answer)["detail"]), `${place} is unknown here; there are "`)
      }
      for (const [path, place] of [
        ["/executions?document_name=x", "document_name"],
        ["/poison?pipline=x", "pipline"],
        ["/operations?continuation=x", "continuation"],
        ["/overview?hour=1", "hour"]
      ]) {
        const answer = yield* ask(port, path ?? "", { token: reader })
        assert.strictEqual(answer.status, 400, path)
        assert.include(String(json(answer)["detail"]), `\`${place}\` is unknown here`)
      }
      // A whole item of another program has more than is used.
      const item = { ...Engine.item("x"), id: { ...Engine.item("x").id, more: 1 }, executor_logs: [] }
      const brought = { pipeline: Engine.pipeline.id, content: [item] }
      const submitted = yield* ask(port, "/tasks", { method: "POST", token: operator, body: brought })
      assert.strictEqual(submitted.status, 200, submitted.text)
      yield* Engine.pass(10)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      assert.lengthOf(yield* queue.peekPoison(10), 1)
    }))

  test("say what is wrong with a request in words, by its place, as problems that nothing runs", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      const long = "k".repeat(2_000)
      const cases: ReadonlyArray<readonly [number, string, Asked, ReadonlyArray<string>]> = [
        [400, "/executions?limit=-1", {}, ["`limit`: expected a positive number, and not -1"]],
        [
          400,
          "/executions?status=broken",
          {},
          ['`status[0]`: expected "pending" or "running" or "completed"', "broken"]
        ],
        [400, "/executions?after=x", {}, ["`after` is none"]],
        [400, "/operations", { body: { verb: "explode" } }, ['`verb`: expected "retry" or "cancel"', "explode"]],
        [400, "/operations", { body: { verb: "retry", filter: { status: [] } } }, ["`filter.status`: expected"]],
        [
          400,
          "/operations",
          { body: { verb: "retry", filter: {}, operation_id: "a/b" } },
          ["`operation_id`: expected a string matching the pattern"]
        ],
        [400, "/operations", { body: "null" }, ["The body: expected something else, and not null"]],
        [400, "/tasks", { body: {} }, ["`pipeline`: is missing; `content`: is missing"]],
        [400, "/pauses", { body: { scope: { of: "planet" } } }, ["`scope.of`: expected", "planet"]],
        [
          400,
          "/tasks",
          { body: { pipeline: "p", content: [{}] }, headers: { "idempotency-key": long } },
          ["`idempotency-key`: expected a string at most 255", "kkk…"]
        ],
        [404, "/pauses", { body: { scope: { of: "vault", id: "nope" } } }, ["There is no vault nope."]],
        [404, "/pauses", { body: { scope: { of: "pipeline", id: "nope" } } }, ["There is no pipeline nope."]],
        [404, "/executions/a%2Fb%00%F0%9F%92%A9", {}, ["There is no execution a/b\u0000💩."]],
        [405, "/executions/exec_1", { method: "PUT" }, ["takes GET, HEAD, DELETE"]],
        [405, "/executions", { method: "OPTIONS" }, ["takes GET, HEAD"]],
        [405, "/poison/m/put-back", {}, ["takes POST"]],
        [
          415,
          "/operations",
          { body: "verb=retry", headers: { "content-type": "application/x-www-form-urlencoded" } },
          ["Content-Type: application/json"]
        ],
        [
          415,
          "/operations",
          { body: { verb: "retry", filter: {} }, headers: { "content-encoding": "gzip" } },
          ["not compressed"]
        ]
      ]
      for (const [status, path, asked, words] of cases) {
        const method = asked.method ?? (asked.body === undefined ? "GET" : "POST")
        const answer = yield* ask(port, path, { ...asked, method, token: operator })
        assert.strictEqual(answer.status, status, `${path} ${answer.text}`)
        const { detail, status: told } = json(answer)
        assert.strictEqual(told, status)
        for (const word of words) assert.include(String(detail), word)
        assert.notMatch(answer.text, /readonly|_tag.*(?:Issue|Refinement)|\n\s+at /)
        assert.isBelow(answer.text.length, 1_000)
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        assert.strictEqual(answer.headers["x-content-type-options"], "nosniff", path)
        assert.strictEqual(answer.headers["cache-control"], "no-store")
        assert.strictEqual(answer.headers["allow"] !== undefined, status === 405)
      }
      // What is gone may be paused still.
      const gone = { scope: { of: "vault", id: "gone" } }
      assert.strictEqual(
        (yield* ask(port, "/pauses/resume", { method: "POST", token: operator, body: gone })).status,
        200
      )
    }))

  test("answer HEAD to the event stream without holding a place for it", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      for (let i = 0; i < Changes.mostStreams + 5; i++) {
        const { headers, status } = yield* ask(port, "/events", { method: "HEAD", token: reader })
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["content-type"], "text/event-stream")
      }
    }))

  test("hold some event streams of a thousand open, refuse the others in words, and give their places to those who come later", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      const followed: Array<ClientRequest> = []
      /** Gives the refusal, or nothing where the stream began. */
      const open = Effect.async<string>((resume) => {
        const sent = httpRequest(
          { host: "127.0.0.1", port, path: "/events", agent: false, headers: { authorization: `Bearer ${reader}` } },
          (response) => {
            response.on("error", () => undefined)
            if (response.statusCode === 200) {
              followed.push(sent)
              response.resume()
              return resume(Effect.succeed(""))
            }
            const chunks: Array<Buffer> = []
            response.on("data", (chunk: Buffer) => chunks.push(chunk))
            response.on("end", () =>
              resume(Effect.succeed(`${response.statusCode} ${Buffer.concat(chunks).toString()}`))
            )
          }
        )
        sent.on("error", ({ message }) => resume(Effect.succeed(message)))
        sent.end()
      })
      const answers = yield* Effect.replicateEffect(open, 1_000, { concurrency: 64 })
      assert.lengthOf(followed, Changes.mostStreams)
      assert.deepStrictEqual(
        answers.filter((answer) => answer !== "" && !/^503 .*Too many event streams are open/.test(answer)),
        []
      )
      assert.strictEqual((yield* ask(port, "/health/live")).status, 200)
      assert.strictEqual((yield* ask(port, "/executions", { token: reader })).status, 200)
      for (const sent of followed.splice(0)) sent.destroy()
      yield* until(
        Effect.map(
          Effect.whenEffect(
            open,
            Effect.sync(() => followed.length < Changes.mostStreams)
          ),
          () => followed.length === Changes.mostStreams
        )
      )
    }))

  test("are described for programs: summaries, servers, a licence", () =>
    Effect.gen(function* () {
      const port = yield* serving(access)
      const description = json(yield* ask(port, "/openapi.json"))
      assert.isNotEmpty(description["servers"])
      assert.isObject((description["info"] as Record<string, unknown>)["license"])
      for (const [path, methods] of Object.entries(
        description["paths"] as Record<string, Record<string, { summary?: string }>>
      )) {
        for (const [method, { summary }] of Object.entries(methods)) assert.isString(summary, `${method} ${path}`)
      }
      const { "/executions": executions } = description["paths"] as Record<
        string,
        { get: { responses: Record<string, { content: object }> } }
      >
      const wrong = executions?.get.responses["400"]
      assert.deepStrictEqual(Object.keys(wrong?.content ?? {}), ["application/problem+json"])
      assert.notInclude(JSON.stringify(description), "HttpApiDecodeError")
    }))
})
