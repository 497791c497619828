import { NodeContext } from "@effect/platform-node"
import { Path } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer, Option } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as DotEnv from "../../src/config/DotEnv.ts"
import * as MisspeltNames from "../../src/config/MisspeltNames.ts"
import * as DotEnvText from "../../src/config/DotEnvText.ts"
import * as WorkTime from "../support/WorkTime.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-dotenv-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** What is found from this folder on, with these real variables. */
const findIn = (path: string, environment: Readonly<Record<string, string>> = {}) =>
  DotEnv.find.pipe(
    Effect.provide(
      Layer.effect(
        Path.Path,
        Effect.map(Path.Path, (real) => ({ ...real, resolve: () => path }))
      ).pipe(Layer.provideMerge(NodeContext.layer))
    ),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
  )

const valueIn = ({ provider }: DotEnv.DotEnv, name: string) =>
  Effect.map(Effect.option(provider.load(Config.string(name))), Option.getOrNull)

const written = (content: string | Uint8Array, environment: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const path = yield* folder
    writeFileSync(join(path, ".env"), content)
    const found = yield* findIn(path, environment)
    return { found, file: join(path, ".env"), value: (name: string) => valueIn(found, name) }
  })

/** Lines, and the value of X that python-dotenv 1.2 gives them. */
const values: ReadonlyArray<readonly [line: string, value: string | null]> = [
  ["X=p$ssw0rd", "p$ssw0rd"],
  ["X='p$ssw0rd'", "p$ssw0rd"],
  ["X='se$$cret9'", "se$$cret9"],
  ["X=a1#b2", "a1#b2"],
  ["X=a1 #b2", "a1"],
  ["X=#b2", "#b2"],
  ["X= # nothing", "# nothing"],
  ["X='a # b' # c", "a # b"],
  ['X="a # b"# c', "a # b"],
  ['X="say \\"hi\\""', 'say "hi"'],
  ["X='it\\'s'", "it's"],
  ["X='a\\nb'", "a\\nb"],
  ['X="a\\nb\\tc"', "a\nb\tc"],
  ["X=a\\nb", "a\\nb"],
  ['X="two\nlines"', "two\nlines"],
  ["  export X = spaced out  ", "spaced out"],
  ["X=", ""],
  ["X", null],
  ["'X'=quoted name", "quoted name"],
  ["X=a=b==", "a=b=="],
  ["X=`date`", "`date`"],
  ["X=$HOME $(whoami) $$ $& $' $`", "$HOME $(whoami) $$ $& $' $`"],
  ['X="it\'s"', "it's"],
  ["X='C:\\dir\\'", "C:\\dir\\"],
  ["X=one\nX=two", "two"],
  ["\ufeffX=marked", "marked"]
]

describe("The text of a .env file", () => {
  for (const [line, value] of values) {
    it.scoped(JSON.stringify(line), () =>
      Effect.gen(function* () {
        const file = yield* written(line)
        assert.strictEqual(yield* file.value("X"), value)
      })
    )
  }

  const replaced: ReadonlyArray<readonly [text: string, value: string]> = [
    ["X=${REAL}/bin", "real/bin"],
    ['X="${REAL}/bin"', "real/bin"],
    ["X='${REAL}/bin'", "${REAL}/bin"],
    ["REAL=file\nX=${REAL}", "real"],
    ["A=1\nX=${A}${A}", "11"],
    ["X=${NOWHERE:-else}", "else"],
    ["X=${NOWHERE}.", "."],
    ["X=${X}:/opt", ":/opt"],
    ["A=${X}\nX=${A}", ""],
    ["A=x$&y$'z\nX=${A}", "x$&y$'z"],
    ["A='${REAL}'\nX=${A}", "${REAL}"],
    ["X=${constructor}${__proto__}", ""],
    ["X=$X:/opt", "$X:/opt"],
    ["X=costs $constructor", "costs $constructor"]
  ]
  for (const [text, value] of replaced) {
    it.scoped(`replaces once: ${JSON.stringify(text)}`, () =>
      Effect.gen(function* () {
        const file = yield* written(text, { REAL: "real" })
        assert.strictEqual(yield* file.value("X"), value)
      })
    )
  }

  it("that is hostile takes time in proportion to its length", () => {
    const millis = (text: string): number =>
      WorkTime.leastOf(() => {
        DotEnvText.parse(text)
        DotEnvText.expand(text, () => "x")
      })
    for (const part of ['A="', "A='\\'", "\\", '"', "${", "${A:-", " ", "A= #", "export "]) {
      millis(part.repeat(12_500))
      const short = millis(part.repeat(12_500))
      // Sixteen times the length: a quadratic reader takes 256 times as long. Below a millisecond the clock says little.
      assert.isBelow(millis(part.repeat(200_000)), 100 * Math.max(short, 1), JSON.stringify(part))
    }
  })
})

describe("Names in .env that are none of ours", () => {
  it.scoped("are told where one of ours is near, and left alone elsewhere", () =>
    Effect.gen(function* () {
      const { file, found } = yield* written(
        "NUM_PROCESSING_WORKER=3\nCOSMOS_DB_ENPOINT=x\nlog_level=DEBUG\nDATABASE_URL=y\nPATH=z\nNUM_SOURCE_WORKERS=1\n"
      )
      const near = ["NUM_PROCESSING_WORKER", "COSMOS_DB_ENPOINT", "log_level"]
      const meant = ["NUM_PROCESSING_WORKERS", "COSMOS_DB_ENDPOINT", "LOG_LEVEL"]
      assert.deepStrictEqual(
        MisspeltNames.find(found),
        near.map(
          (name, index) => `${file}: ${name} is no setting of this worker; ${meant[index] ?? ""} is meant, perhaps`
        )
      )
    })
  )
})

describe("What is not read from .env", () => {
  it.scoped("are lines that are none: file and line are told, their text is not", () =>
    Effect.gen(function* () {
      const file = yield* written('A=1\nKEY: hunter2\n\n# fine\nB="open\nC=2\nCOSMOS_DB_KEY\nexport D\nE=${NOWHERE}')
      assert.deepStrictEqual(
        file.found.warnings.map((warning) => warning.replace(file.file, "FILE")),
        [
          "FILE, line 2 is not read: it is not NAME=value",
          "FILE, line 5 is not read: it is not NAME=value",
          "FILE, line 7 is not read: it is not NAME=value",
          "FILE, line 9: ${…} names a variable without a value; nothing stands in its place"
        ]
      )
      assert.deepStrictEqual([yield* file.value("A"), yield* file.value("C")], ["1", "2"])
    })
  )

  it.scoped("is told in a few sentences where the file is another program's", () =>
    Effect.gen(function* () {
      const file = yield* written(JSON.stringify({ many: Array.from({ length: 100 }, (_, index) => index) }, null, 1))
      assert.lengthOf(file.found.warnings, 11)
      assert.match(file.found.warnings[10] ?? "", /9\d more lines/)
    })
  )

  it.scoped("are values that grow without a bound", () =>
    Effect.gen(function* () {
      const lines = Array.from({ length: 64 }, (_, index) => `A${index + 1}=\${A${index}}\${A${index}}`)
      const file = yield* written(["A0=0123456789", ...lines].join("\n"))
      assert.match(file.found.warnings.join("\n"), /line 14 is not read: its value is longer/)
    })
  )

  it.scoped("is binary, or too large", () =>
    Effect.gen(function* () {
      assert.match((yield* written(new Uint8Array([65, 0, 61, 0]))).found.warnings.join(), /no text in UTF-8/)
      assert.match((yield* written(new Uint8Array([65, 61, 0xe9]))).found.warnings.join(), /not in UTF-8/)
      assert.match((yield* written("#".repeat(1_048_577))).found.warnings.join(), /larger than/)
    })
  )

  it.scoped("is no file: a folder or a pipe is told, and the next one upwards read", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const inner = join(path, "inner")
      mkdirSync(join(inner, ".env"), { recursive: true })
      writeFileSync(join(path, ".env"), "X=outer")
      const found = yield* findIn(inner)
      assert.strictEqual(yield* valueIn(found, "X"), "outer")
      assert.deepStrictEqual(found.warnings, [`${join(inner, ".env")} is not read: it is no file (directory)`])
      if (process.platform === "win32") return
      rmSync(join(inner, ".env"), { recursive: true })
      execFileSync("mkfifo", [join(inner, ".env")])
      assert.match((yield* findIn(inner)).warnings.join(), /it is no file \(fifo\)/)
    })
  )
})

describe("A .env file in UTF-16", () => {
  for (const bigEndian of [false, true]) {
    it.scoped(`${bigEndian ? "big" : "little"}-endian is read`, () =>
      Effect.gen(function* () {
        const bytes = Buffer.from("\ufeffX=é\r\nY=2\r\n", "utf16le")
        const file = yield* written(new Uint8Array(bigEndian ? bytes.swap16() : bytes))
        assert.deepStrictEqual([yield* file.value("X"), yield* file.value("Y")], ["é", "2"])
        assert.deepStrictEqual(file.found.warnings, [])
      })
    )
  }
})
