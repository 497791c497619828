import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import * as zlib from "node:zlib"
import { fetch, type FetchOptions } from "../../src/web/HttpFetch.ts"
import { WebError } from "../../src/web/WebError.ts"
import { until } from "../support/RealTime.ts"
import * as LoopbackServer from "./LoopbackServer.ts"

const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({
  allowPrivate: true,
  lookup: () => Effect.succeed(["127.0.0.1"]),
  userAgent: "test-agent/1",
  maxBytes: 100_000,
  timeout: Duration.seconds(30),
  ...more
})

const get = (url: string, more: Partial<FetchOptions> = {}) =>
  fetch(options(more), { url: new URL(url), accept: "text/html" })

const text = (body: Uint8Array) => new TextDecoder().decode(body)

const x = "x".repeat(50_000)

describe("fetch", () => {
  it.scoped("introduces itself and gives the answer", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({
        "/a?b=c": { headers: { "content-type": "Text/Plain" }, body: "hello" }
      })
      const answer = yield* get(`${server.origin}/a?b=c`)
      assert.strictEqual(text(answer.body), "hello")
      assert.strictEqual(answer.contentType, "Text/Plain")
      assert.strictEqual(server.requests[0]?.headers["user-agent"], "test-agent/1")
      assert.strictEqual(server.requests[0]?.headers.host, `127.0.0.1:${server.port}`)
    })
  )

  it.scoped("connects to the address that was checked, under the name's Host", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/": "here" })
      let asked = 0
      const lookup = () =>
        Effect.sync(() => {
          asked++
          return ["127.0.0.1"]
        })
      // No resolver knows this name: only the pinned address can have been used.
      const answer = yield* get(`http://no-such-name.invalid:${server.port}/`, { lookup })
      assert.strictEqual(text(answer.body), "here")
      assert.strictEqual(asked, 1)
      assert.strictEqual(server.requests[0]?.headers.host, `no-such-name.invalid:${server.port}`)
    })
  )

  it.scoped("refuses private addresses before it connects, of names too", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/": "secret" })
      for (const url of [server.origin, `http://localhost:${server.port}/`, `http://rebind.test:${server.port}/`]) {
        const error = yield* Effect.flip(get(url, { allowPrivate: false }))
        assert.strictEqual(error.reason, "Refused")
      }
      assert.lengthOf(server.requests, 0)
    })
  )

  it.scoped("checks the host of every redirect", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({
        "/in": (origin) => ({
          status: 302,
          headers: { location: `${origin.replace("start.test", "inside.test")}/secret` }
        }),
        "/secret": "secret"
      })
      const asked: Array<string> = []
      const lookup = (host: string) => {
        asked.push(host)
        return host === "start.test"
          ? Effect.succeed(["127.0.0.1"])
          : Effect.fail(new WebError({ reason: "Refused", message: host, transient: false }))
      }
      const error = yield* Effect.flip(get(`http://start.test:${server.port}/in`, { lookup }))
      assert.strictEqual(error.message, "inside.test")
      assert.deepStrictEqual(asked, ["start.test", "inside.test"])
      assert.deepStrictEqual(
        server.requests.map(({ path }) => path),
        ["/in"]
      )
    })
  )

  it.scoped("follows redirects, asks before each, and gives up on a circle", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({
        "/a": { status: 301, headers: { location: "b" } },
        "/b": { status: 307, headers: { location: "//user:secret@127.0.0.1/c" } },
        "/circle": { status: 302, headers: { location: "/circle" } },
        "/file": { status: 302, headers: { location: "file:///etc/passwd" } },
        "/to-c": { status: 303, headers: { location: "/c" } },
        "/c": "end"
      })
      const seen: Array<string> = []
      const answer = yield* fetch(options(), {
        url: new URL(`${server.origin}/to-c`),
        accept: "*/*",
        permit: (url) => Effect.sync(() => void seen.push(url.pathname))
      })
      assert.strictEqual(answer.url.pathname, "/c")
      assert.deepStrictEqual(seen, ["/c"])
      const stopped = yield* Effect.flip(
        fetch(options(), {
          url: new URL(`${server.origin}/a`),
          accept: "*/*",
          permit: (url) =>
            url.pathname === "/b"
              ? Effect.void
              : Effect.fail(new WebError({ reason: "Refused", message: url.href, transient: false }))
        })
      )
      assert.strictEqual(stopped.message, "http://127.0.0.1/c")
      assert.include((yield* Effect.flip(get(`${server.origin}/circle`))).message, "redirects")
      assert.include((yield* Effect.flip(get(`${server.origin}/file`))).message, "no web address")
    })
  )

  it.scoped("unpacks what is packed, also when it is cut short", () =>
    Effect.gen(function* () {
      const packed: Readonly<Record<string, readonly [string, Uint8Array]>> = {
        "/gzip": ["gzip", zlib.gzipSync(x)],
        "/deflate": ["deflate", zlib.deflateSync(x)],
        "/raw": ["deflate", zlib.deflateRawSync(x)],
        "/br": ["br", zlib.brotliCompressSync(x)],
        "/twice": ["gzip, br", zlib.brotliCompressSync(zlib.gzipSync(x))],
        "/plain": ["identity", Buffer.from(x)]
      }
      const server = yield* LoopbackServer.make(
        Object.fromEntries(
          Object.entries(packed).map(([path, [coding, body]]) => [
            path,
            { headers: { "content-encoding": coding }, body }
          ])
        )
      )
      for (const path of Object.keys(packed)) {
        assert.strictEqual(text((yield* get(`${server.origin}${path}`)).body), x, path)
      }
      const whole = zlib.gzipSync(x)
      const short = yield* LoopbackServer.make({
        "/": { headers: { "content-encoding": "gzip" }, body: whole.subarray(0, whole.length - 12) }
      })
      assert.match(text((yield* get(short.origin)).body), /^x{1000,}$/)
    })
  )

  it.scoped("bounds bodies, packed and unpacked", () =>
    Effect.gen(function* () {
      const bomb = zlib.gzipSync(Buffer.alloc(50_000_000))
      const server = yield* LoopbackServer.make({
        "/announced": { headers: { "content-length": String(200_000) }, body: "y".repeat(200_000) },
        "/chunked": "y".repeat(200_000),
        "/gzip": { headers: { "content-encoding": "gzip" }, body: bomb },
        "/layers": { headers: { "content-encoding": "gzip, gzip, gzip, gzip" }, body: bomb },
        "/damaged": { headers: { "content-encoding": "gzip" }, body: "no gzip" },
        "/unknown": { headers: { "content-encoding": "zstd" }, body: "?" }
      })
      for (const path of ["/announced", "/chunked", "/gzip"]) {
        const error = yield* Effect.flip(get(`${server.origin}${path}`))
        assert.include(error.message, "larger than 100000 bytes", path)
        assert.isFalse(error.transient)
      }
      assert.include((yield* Effect.flip(get(`${server.origin}/layers`))).message, "4 times")
      assert.include((yield* Effect.flip(get(`${server.origin}/damaged`))).message, "damaged")
      assert.include((yield* Effect.flip(get(`${server.origin}/unknown`))).message, "zstd")
    })
  )

  it.scoped("does not read the bodies of errors and of what is not wanted", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({
        "/gone": { status: 410, body: x },
        "/pdf": { headers: { "content-type": "application/pdf" }, body: x },
        "/busy": { status: 503, headers: { "retry-after": "7" } }
      })
      const request = (path: string) =>
        fetch(options(), { url: new URL(server.origin + path), accept: "*/*", wanted: (type) => type === "text/html" })
      assert.deepInclude(yield* request("/gone"), { status: 410, body: new Uint8Array() })
      assert.deepInclude(yield* request("/pdf"), { status: 200, body: new Uint8Array() })
      assert.deepInclude(yield* request("/busy"), { status: 503, retryAfterMillis: 7000 })
    })
  )

  it.scoped("tells what may heal from what may not", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/cut": { body: x, cutAfter: 10 } })
      const cut = yield* Effect.flip(get(`${server.origin}/cut`))
      assert.deepInclude(cut, { reason: "Unreachable", transient: true })
      const closed = yield* Effect.scoped(LoopbackServer.make({}))
      assert.deepInclude(yield* Effect.flip(get(closed.origin)), { reason: "Unreachable", transient: true })
      const tls = yield* Effect.flip(get(`https://127.0.0.1:${server.port}/`))
      assert.strictEqual(tls.reason, "Unreachable")
    })
  )

  it.scoped("gives up after its time, and hangs up", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/": { hangs: true } })
      const fiber = yield* Effect.fork(Effect.flip(get(server.origin)))
      yield* until(Effect.sync(() => server.requests.length > 0))
      yield* TestClock.adjust("31 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { reason: "Timeout", transient: true })
      assert.include(error.message, "page_timeout_secs")
    })
  )
})
