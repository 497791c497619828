// Writes the package as JSR takes it into a folder: the built modules, each with its declarations. From the sources themselves JSR can't read types quickly: classes of
// services and schemas extend what functions return. `deno publish` in that folder publishes it.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import process from "node:process"

const [, , place] = process.argv
const { exports, license, version } = JSON.parse(readFileSync("package.json", "utf8"))
mkdirSync(place, { recursive: true })
for (const file of ["README.md", "CHANGELOG.md", "LICENSE", "package.json"]) cpSync(file, join(place, file))
for (const file of readdirSync("src", { recursive: true })) if (basename(file) === "README.md") cpSync(join("src", file), join(place, "src", file))
cpSync("dist", join(place, "dist"), { recursive: true, filter: (file) => !file.endsWith(".map") })
for (const name of readdirSync(join(place, "dist"), { recursive: true })) {
  const file = join(place, "dist", name)
  // The page is for browsers, and its files are named by what is in them.
  if (name.startsWith("ui/")) continue
  if (name.endsWith(".d.ts")) {
    const text = readFileSync(file, "utf8")
    writeFileSync(file, text.replaceAll(/((?:from |import\()"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'))
  } else if (name.endsWith(".js") && !name.endsWith("main.js")) {
    writeFileSync(file, `/* @ts-self-types="./${basename(name, ".js")}.d.ts" */\n${readFileSync(file, "utf8")}`)
  }
}
const modules = Object.entries(exports).flatMap(([name, target]) => (target.default ? [[name, target.default]] : []))
writeFileSync(
  join(place, "deno.json"),
  JSON.stringify({ name: "@contentflow/worker", version, license, exports: Object.fromEntries(modules), nodeModulesDir: "manual", publish: { exclude: ["node_modules"] } }, null, 2)
)
symlinkSync(resolve("node_modules"), join(place, "node_modules"))
