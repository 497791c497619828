// Puts the files of the image together in a folder, after `npm run bundle`: the bundle, the packages that it leaves outside, what executors of one's own import,
// the licences of all that is inside, and a list of it (CycloneDX). The Dockerfile runs it; `node src/deploy/image.mjs FOLDER`.
import { buildSync } from "esbuild"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Buffer } from "node:buffer"
import process from "node:process"
import { bundle } from "../ui/build.mjs"

const [, , out] = process.argv
if (out === undefined) throw new Error("Usage: node src/deploy/image.mjs FOLDER")
const { version, license } = JSON.parse(readFileSync("package.json", "utf8"))

mkdirSync(join(out, "node_modules"), { recursive: true })
cpSync("bundle", out, { recursive: true })

/** The thread pool loads a file of its own package, SQLite its binary; executors import effect, and effect's schemas the others. */
const outside = [
  "piscina",
  "node-gyp-build",
  "@photostructure/sqlite",
  "effect",
  "fast-check",
  "pure-rand",
  "@standard-schema/spec"
]
const place = (name) => join(out, "node_modules", name)
for (const name of outside) cpSync(join("node_modules", name), place(name), { recursive: true, dereference: true })
for (const part of ["src", "dist/cjs", "dist/dts"])
  rmSync(join(place("effect"), part), { recursive: true, force: true })
for (const part of [
  "src",
  "prebuilds/darwin-arm64",
  "prebuilds/darwin-x64",
  "prebuilds/win32-arm64",
  "prebuilds/win32-x64"
]) {
  rmSync(join(place("@photostructure/sqlite"), part), { recursive: true, force: true })
}
for (const name of readdirSync(out, { recursive: true }))
  if (/\.(?:js|mjs|cjs)\.map$/.test(name)) rmSync(join(out, name))

// A module below /app that exports executors imports these two as anywhere else.
const library = place("contentflow-worker")
buildSync({
  entryPoints: ["src/exports/executor.ts"],
  outfile: join(library, "executor.js"),
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20"
})
const exported = { "./executor": "./executor.js", "./package.json": "./package.json" }
writeFileSync(
  join(library, "package.json"),
  JSON.stringify({ name: "contentflow-worker", version, license, type: "module", exports: exported })
)
writeFileSync(
  join(out, "package.json"),
  JSON.stringify({
    type: "module",
    dependencies: Object.fromEntries([...outside, "contentflow-worker"].map((name) => [name, "*"]))
  })
)

// --- What is inside ---

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"))
// The page has packages inside that the program itself does not need.
const inPage = new Set(bundle().packages)
const inside = Object.entries(packages).filter(
  ([path, { dev, devOptional }]) => path !== "" && ((!dev && !devOptional) || inPage.has(path)) && existsSync(path)
)
const texts = inside.map(([path, { license = "see below", name, version }]) => {
  const files = readdirSync(path).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
  const title = `${name ?? path.slice(path.lastIndexOf("node_modules/") + 13)} ${version} (${license})`
  return [title, "-".repeat(title.length), ...files.map((file) => readFileSync(join(path, file), "utf8").trim())].join(
    "\n"
  )
})
const own = readFileSync(existsSync("LICENSE") ? "LICENSE" : "package.json", "utf8")
writeFileSync(join(out, "LICENSES.txt"), [own, ...texts.sort()].join("\n\n"))
const components = inside.map(([path, { integrity = "", license, name, version }]) => {
  const full = name ?? path.slice(path.lastIndexOf("node_modules/") + 13)
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? []
  return {
    type: "library",
    name: full,
    version,
    purl: `pkg:npm/${full.replace(/^@/, "%40")}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    ...(digest === undefined
      ? {}
      : { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] })
  }
})
const component = { type: "application", name: "contentflow-worker", version, licenses: [{ license: { id: license } }] }
writeFileSync(
  join(out, "sbom.cdx.json"),
  JSON.stringify(
    { bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { component }, components },
    null,
    1
  )
)
