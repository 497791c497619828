import { assert, describe, it } from "@effect/vitest"
import * as Proxy from "../../src/azure/Proxy.ts"

const proxy = "http://user:pass@proxy.example:3128"

describe("The proxy of an address", () => {
  const cases: ReadonlyArray<readonly [Proxy.Environment, string, string | undefined]> = [
    [{}, "https://a.example/", undefined],
    [{ HTTPS_PROXY: proxy }, "https://a.example/", "HTTPS_PROXY"],
    [{ HTTP_PROXY: proxy }, "https://a.example/", "HTTP_PROXY"],
    [{ all_proxy: proxy, HTTP_PROXY: proxy }, "http://a.example/", "all_proxy"],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "b.example, a.example" }, "https://a.example/", undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: ".example" }, "https://a.example/", undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: ".a.example" }, "https://a.example/", undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "example" }, "https://a.example/", "HTTPS_PROXY"],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "[::1]" }, "http://[::1]:8081/", undefined],
    [{ HTTPS_PROXY: "proxy.example:3128" }, "https://a.example/", undefined]
  ]
  for (const [environment, address, variable] of cases) {
    it(`${address} with ${JSON.stringify(environment)}`, () => {
      assert.strictEqual(Proxy.of(address, environment)?.variable, variable)
    })
  }
})
