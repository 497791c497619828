// Makes the page: one script and one style sheet, named by what is in them, and the document that loads them. `node src/ui/build.mjs FOLDER` writes it there; in a checkout
// that was not built, the server makes it when it is first asked for.
import { buildSync } from "esbuild"
import { Buffer } from "node:buffer"
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, "../..")

const document = (script, style) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ContentFlow worker</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/ui/assets/${style}">
<script type="module" src="/ui/assets/${script}"></script>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. The command line does the same without it.</noscript>
</body>
</html>
`

/** The folders of the packages that are inside. In Deno's a package lies below `node_modules/.deno`. */
const packagesIn = (inputs) => [
  ...new Set(
    Object.keys(inputs).flatMap((input) => {
      const [, path] = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
      return path === undefined ? [] : [path]
    })
  )
]

const licenceOf = (path) => {
  const { license, version } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"))
  const files = readdirSync(join(root, path)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
  const title = `${path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)} ${version} (${license})`
  return [
    title,
    "-".repeat(title.length),
    ...files.map((file) => readFileSync(join(root, path, file), "utf8").trim())
  ].join("\n")
}

/** The page's files by their names, and the packages that are inside. */
export const bundle = () => {
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: ["Main.tsx", "page.css"].map((file) => ({ in: join(here, file), out: "page" })),
    entryNames: "[name]-[hash]",
    outdir: join(root, "dist/ui/assets"),
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: ["chrome111", "firefox115", "safari16.4"],
    tsconfig: join(here, "tsconfig.json"),
    legalComments: "none",
    logLevel: "warning"
  })
  const assets = outputFiles.map(({ contents, path }) => [basename(path), contents])
  const nameOf = (end) => assets.find(([name]) => name.endsWith(end))?.[0]
  const packages = packagesIn(metafile.inputs)
  const files = new Map([
    ["index.html", Buffer.from(document(nameOf(".js"), nameOf(".css")))],
    ["LICENSES.txt", Buffer.from(packages.map(licenceOf).join("\n\n"))],
    ...assets.map(([name, contents]) => [`assets/${name}`, contents])
  ])
  return { files, packages }
}

const [, program, folder] = process.argv
if (folder !== undefined && program !== undefined && resolve(program) === fileURLToPath(import.meta.url)) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, "assets"), { recursive: true })
  for (const [name, contents] of bundle().files) writeFileSync(join(folder, name), contents)
}
