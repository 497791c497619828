import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { version } from "../src/cli/Version.ts"
import { markdownTable } from "../src/config/Documentation.ts"

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

const root = fileURLToPath(new URL("..", import.meta.url))

/** Of all rooms. */
const readmes = [
  "README.md",
  ...["src", "test"].flatMap((place) =>
    readdirSync(join(root, place), { recursive: true })
      .map((path) => join(place, String(path)))
      .filter((path) => basename(path) === "README.md" && !path.includes("node_modules"))
  )
]

/** What a program may import of the package, as sources. */
const entryPoints = () =>
  Object.fromEntries(
    Object.entries<{ readonly default?: string }>(JSON.parse(read("package.json")).exports).flatMap(([name, target]) =>
      target.default === undefined
        ? []
        : [
            [
              join("contentflow-worker", name),
              [join(root, target.default.replace(/^\.\/dist/, "src").replace(/\.js$/, ".ts"))]
            ]
          ]
    )
  )

describe("README", () => {
  it("lists every setting as the table of variables does", () => {
    const [, settings] = /<!-- settings:.*?-->([\s\S]*?)<!-- end of settings -->/.exec(read("README.md")) ?? []
    assert.strictEqual(settings?.trim(), markdownTable().trim())
  })

  it("names only files that exist", () => {
    for (const readme of readmes) {
      for (const [, path] of read(readme).matchAll(/`((?:src|test)\/[\w./-]+\.(?:ts|md))`/g)) {
        assert.doesNotThrow(() => read(path ?? ""), `${readme}: ${path}`)
      }
    }
  })

  it("and package.json and the command line agree on the version", () => {
    assert.strictEqual(JSON.parse(read("package.json")).version, version)
    assert.include(read("CHANGELOG.md"), `## ${version}`)
  })

  // The compiler runs on Node.
  it.skipIf("Deno" in globalThis)(
    "has programs that compile as they stand there",
    () => {
      // Below the repository, where its packages are found.
      const folder = mkdtempSync(join(root, "node_modules/.readme-"))
      try {
        const programs = readmes.flatMap((readme) =>
          [...read(readme).matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, program]) => program ?? "")
        )
        assert.isNotEmpty(programs)
        programs.forEach((program, index) => {
          const name = /^export const (\w+)/m.exec(program)?.[1] ?? `program${index}`
          writeFileSync(join(folder, `${name}.ts`), program)
        })
        writeFileSync(
          join(folder, "tsconfig.json"),
          JSON.stringify({
            extends: join(root, "tsconfig.json"),
            compilerOptions: {
              noUnusedLocals: false,
              types: ["node"],
              typeRoots: [join(root, "node_modules/@types")],
              paths: entryPoints()
            },
            include: ["*.ts"]
          })
        )
        const tsc = spawnSync("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
          encoding: "utf8",
          env: process.env
        })
        assert.strictEqual(tsc.status, 0, tsc.stdout + tsc.stderr)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    120_000
  )
})
