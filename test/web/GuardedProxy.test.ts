import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as net from "node:net"
import * as GuardedProxy from "../../src/web/GuardedProxy.ts"
import { systemLookup } from "../../src/web/HostAddresses.ts"
import { refused } from "../../src/web/WebError.ts"
import * as LoopbackServer from "./LoopbackServer.ts"

/** What comes back for these bytes, until the other side hangs up or `enough` is seen. */
const exchange = (proxy: string, bytes: string, then?: { readonly after: string; readonly send: string }) =>
  Effect.async<string>((resume) => {
    const socket = net.connect(Number(new URL(proxy).port), "127.0.0.1", () => socket.write(bytes))
    let received = ""
    let sent = false
    socket.on("data", (chunk) => {
      received += chunk.toString()
      if (then !== undefined && !sent && received.includes(then.after)) {
        sent = true
        socket.write(then.send)
      }
    })
    socket.on("close", () => resume(Effect.succeed(received)))
    socket.on("error", () => resume(Effect.succeed(received)))
    return Effect.sync(() => socket.destroy())
  })

/** `public.test` stands for a host of the internet, which is this one. */
const policy = {
  allowPrivate: true,
  lookup: (host: string) => (host === "public.test" ? Effect.succeed(["127.0.0.1"]) : Effect.fail(refused(host)))
}

describe("GuardedProxy", () => {
  it.scoped("forwards plain requests and tunnels to checked addresses", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/a?b": "through" })
      const proxy = yield* GuardedProxy.make(policy)
      const host = `public.test:${server.port}`
      const plain = yield* exchange(
        proxy,
        `GET http://${host}/a?b HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: secret\r\nConnection: close\r\n\r\n`
      )
      assert.match(plain, /^HTTP\/1\.1 200 /)
      assert.include(plain, "through")
      assert.strictEqual(server.requests[0]?.headers.host, host)
      assert.notProperty(server.requests[0]?.headers, "proxy-authorization")
      const tunnel = yield* exchange(proxy, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, {
        after: "Established",
        send: `GET /a?b HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
      })
      assert.match(tunnel, /^HTTP\/1\.1 200 Connection Established/)
      assert.include(tunnel, "through")
    })
  )

  it.scoped("refuses what the policy refuses, both ways", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({ "/": "secret" })
      const named = yield* GuardedProxy.make(policy)
      const strict = yield* GuardedProxy.make({ allowPrivate: false, lookup: systemLookup })
      for (const [proxy, host] of [
        [named, `inside.test:${server.port}`],
        [strict, `127.0.0.1:${server.port}`],
        [strict, `localhost:${server.port}`],
        [strict, `[::ffff:127.0.0.1]:${server.port}`]
      ] as const) {
        const head = `HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
        assert.match(yield* exchange(proxy, `GET http://${host}/ ${head}`), /^HTTP\/1\.1 403 /, host)
        assert.match(yield* exchange(proxy, `CONNECT ${host} ${head}`), /^HTTP\/1\.1 403 /, host)
      }
      assert.match(
        yield* exchange(strict, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        /^HTTP\/1\.1 400 /
      )
      assert.match(
        yield* exchange(strict, "GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        /^HTTP\/1\.1 400 /
      )
      assert.lengthOf(server.requests, 0)
    })
  )
})
