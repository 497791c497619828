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

describe("A proxy that is no address", () => {
  for (const [environment, variable] of [
    [{ HTTPS_PROXY: "proxy.example:3128" }, "HTTPS_PROXY"],
    [{ https_proxy: "proxy.example" }, "https_proxy"],
    [{ ALL_PROXY: "socks5://user:pass@proxy.example:1080", HTTP_PROXY: proxy }, "ALL_PROXY"],
    [{ HTTP_PROXY: "http://" }, "HTTP_PROXY"]
  ] as const) {
    it(`is named without its text: ${JSON.stringify(environment)}`, () => {
      const mistake = Proxy.mistake(environment) ?? ""
      assert.isTrue(mistake.startsWith(`${variable} is not the address of a proxy`), mistake)
      assert.notInclude(mistake, "pass")
    })
  }

  it("is told of nothing else", () => {
    for (const environment of [{}, { HTTPS_PROXY: proxy }, { HTTPS_PROXY: "" }, { NO_PROXY: "nonsense" }]) {
      assert.isUndefined(Proxy.mistake(environment))
    }
  })
})
