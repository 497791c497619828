import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { version } from "../src/config/Version.ts"
import { markdownTable } from "../src/config/Documentation.ts"
import { Checkpoint } from "../src/domain/Checkpoint.ts"
import { Execution } from "../src/domain/Execution.ts"
import { Pipeline } from "../src/domain/Pipeline.ts"
import { Task } from "../src/domain/Task.ts"
import { Vault } from "../src/domain/Vault.ts"
import { cli, folder as folderWith } from "./cli/Captured.ts"

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

const documents = [
  ...readmes,
  "CHANGELOG.md",
  ".github/CONTRIBUTING.md",
  ".github/SECURITY.md",
  ...readdirSync(join(root, "src/decisions")).map((name) => join("src/decisions", name))
]

const sources = ["src", "test"].flatMap((place) =>
  readdirSync(join(root, place), { recursive: true })
    .map((path) => join(place, String(path)))
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
)

/** The numbers that a text cites as those of defects: `D12`, but no cell of a sheet, which comes in other company. */
const defectsOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?<=[("`] ?|, )D\d{1,2}(?=[):, ])/g)].map(([number]) => number)

/** Where a text names a document that no reader of the repository has. */
const foreignReferences = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\b(?:design|reference,? section|issue|[a-z]+\.md) #?\d+(?:\.\d+)*\b/g)].map(([all]) => all)

const withoutCode = (markdown: string): string => markdown.replaceAll(/^ *```[^]*?^ *```$/gm, "")

/** The anchors of a document's headings, as GitHub makes them; the second of a name has `-1`. */
const anchorsOf = (markdown: string): ReadonlySet<string> => {
  const anchors = new Map<string, number>()
  for (const [, heading = ""] of withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
    const anchor = text.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
    anchors.set(anchor, (anchors.get(anchor) ?? -1) + 1)
  }
  return new Set(
    [...anchors].flatMap(([anchor, more]) =>
      Array.from({ length: more + 1 }, (_, index) => (index === 0 ? anchor : `${anchor}-${index}`))
    )
  )
}

/** What is wrong with the links of a document that lead to files and headings of the repository. */
const brokenLinks = (path: string, markdown: string): ReadonlyArray<string> =>
  [...withoutCode(markdown).matchAll(/(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return []
    const [to = "", anchor] = link.split("#")
    const target = to === "" ? path : join(dirname(path), to)
    const file = join(root, target)
    if (target.startsWith("..") || !existsSync(file)) return [`${path}: ${link} leads nowhere`]
    if (statSync(file).isDirectory()) return [`${path}: ${link} is a folder; link its README`]
    const headings = anchorsOf(to === "" ? markdown : read(target))
    return anchor === undefined || headings.has(anchor) ? [] : [`${path}: ${link} is no heading there`]
  })

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
    const [, settings] =
      /<!-- settings:.*?-->([\s\S]*?)<!-- end of settings -->/.exec(read("src/config/README.md")) ?? []
    assert.strictEqual(settings?.trim(), markdownTable().trim())
  })

  it("names only files that exist", () => {
    for (const document of documents) {
      for (const [, path] of read(document).matchAll(/`((?:src|test)\/[\w./-]+\.(?:ts|md))`/g)) {
        assert.doesNotThrow(() => read(path ?? ""), `${document}: ${path}`)
      }
    }
  })

  it("and every comment cite only what the repository has", () => {
    const compatibility = read("src/domain/README.md")
    const defects = new Set([...compatibility.matchAll(/^\| (D\d+) \|/gm)].map(([, number]) => number))
    assert.strictEqual(defects.size, 48)
    for (const path of [...sources, ...documents].filter((each) => each !== "test/Readme.test.ts")) {
      const text = read(path)
      assert.deepStrictEqual(foreignReferences(text), [], path)
      if (/^test\/(?:defects|worker|pipeline|process)/.test(path)) {
        for (const number of defectsOf(text)) assert.isTrue(defects.has(number), `${path}: ${number}`)
      }
      for (const [, target = ""] of text.matchAll(/\((?:see )?((?:src|test)\/[\w./-]+\.md)\)/g)) {
        assert.isTrue(existsSync(join(root, target)), `${path}: ${target}`)
      }
    }
    assert.deepStrictEqual(foreignReferences("as documents.md 2.5, design 4.1 and issue 9 say"), [
      "documents.md 2.5",
      "design 4.1",
      "issue 9"
    ])
    assert.deepStrictEqual(defectsOf('"D12 a result", (D3, D10), A1:D10'), ["D12", "D3", "D10"])
  })

  it("says of every stored field what it is", () => {
    const compatibility = read("src/domain/README.md")
    const fields = [Execution, Checkpoint, Task, Vault, Pipeline].flatMap((schema) => Object.keys(schema.fields))
    for (const field of fields) assert.include(compatibility, `\`${field}\``)
  })

  it("says in 150 lines what the worker is, and leads to every other", () => {
    const text = read("README.md")
    assert.isAtMost(text.split("\n").length, 151)
    const linked = new Set([...text.matchAll(/\]\(([^)#]+)/g)].map(([, to = ""]) => to))
    for (const readme of readmes.slice(1)) assert.isTrue(linked.has(readme), readme)
  })

  it("has links only to files and headings that exist", () => {
    for (const path of documents) assert.deepStrictEqual(brokenLinks(path, read(path)), [], path)
    const wrong =
      "[a](none.md) [b](#none) [c](src/README.md#none) [d](src) [e](../other) [f](#it) [g](https://x.y)\n# It"
    assert.lengthOf(brokenLinks("README.md", wrong), 5)
  })

  it("shows every room of the house", () => {
    const [, house = ""] = /```\n([^]*?)```/.exec(read("src/README.md")) ?? []
    const lines = house.split("\n").map((line) => line.split(/ {2,}/)[0] ?? line)
    for (const room of readdirSync(join(root, "src"), { withFileTypes: true })) {
      if (!room.isDirectory()) continue
      assert.isTrue(
        lines.some((line) => new RegExp(`(?:^|[/ ])${room.name}/`).test(line)),
        room.name
      )
    }
  })

  it.scoped("has pipelines that are valid", () =>
    Effect.gen(function* () {
      const pipelines = readmes.flatMap((readme) =>
        [...read(readme).matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => ({ readme, text }))
      )
      const whole = pipelines.filter(({ text }) => /^(?:pipelines?:$|name: )/m.test(text))
      assert.isAtLeast(whole.length, 6)
      const named = Object.fromEntries(
        whole.map(({ readme, text }, index) => [`${readme.replaceAll("/", "-")}-${index}.yaml`, text])
      )
      const files = yield* folderWith(named)
      const { code, stderr, stdout } = yield* cli(["validate", "--strict", ...Object.keys(named).map(files.at)])
      assert.strictEqual(code, 0, stdout + stderr)
    })
  )

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
