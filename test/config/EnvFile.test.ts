import { assert, describe, it } from "@effect/vitest"
import { Config, Effect } from "effect"
import * as Load from "../../src/config/Load.ts"
import { from, load, mistakesOf } from "./LoadTests.ts"

describe("the .env file", () => {
  it.effect("is the nearest one upwards, and comes after the environment", () =>
    Effect.gen(function* () {
      const files = {
        "/.env": "WORKER_NAME=root",
        "/srv/app/.env": [
          "# comment",
          "export WORKER_NAME='from file'",
          'LOG_FILE="/var/log/a b"  # why',
          "API_PORT=1",
          "CRASH_LIMIT="
        ].join("\r\n")
      }
      const { engine, log, http } = yield* load({ API_PORT: "2" }, files)
      assert.strictEqual(engine.workerName, "from file")
      assert.strictEqual(log.file, "/var/log/a b")
      assert.strictEqual(http.port, 2)
      assert.strictEqual(engine.crashLimit, 3)
    })
  )

  it.effect("does not fill in a real variable that is empty: the default does", () =>
    Effect.gen(function* () {
      const { engine } = yield* load({ WORKER_NAME: "" }, { "/srv/app/bin/.env": "WORKER_NAME=file" })
      assert.strictEqual(engine.workerName, "contentflow-worker")
    })
  )

  it.effect("is a mistake when it can't be read", () =>
    Effect.gen(function* () {
      const [mistake] = yield* mistakesOf({}, { "/srv/.env": null })
      assert.deepStrictEqual(mistake, {
        variable: ".env",
        value: null,
        reason: "can't be read: PermissionDenied",
        source: "/srv/.env"
      })
    })
  )

  it.effect("can be read like the environment by everything above", () =>
    Effect.gen(function* () {
      const both = Effect.all([Config.string("SECRET_A"), Config.string("SECRET_B")])
      const values = yield* from(
        Effect.provide(both, Load.layerDotEnv),
        { SECRET_A: "real" },
        { "/.env": "SECRET_A=x\nSECRET_B=file" }
      )
      assert.deepStrictEqual(values, ["real", "file"])
    })
  )
})
