// Removes from dist what an earlier build made of sources that are gone: a build makes only what changed.
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"

const made = /\.(?:d\.ts|js)(?:\.map)?$/
const isSource = (path) => ["ts", "tsx", "js", "mjs"].some((extension) => existsSync(`${path}.${extension}`))

const outputs = existsSync("dist") ? readdirSync("dist", { recursive: true }) : []
for (const name of outputs.filter((each) => made.test(each) && !each.startsWith(join("ui", "assets")))) {
  if (!isSource(join("src", name.replace(made, "")))) rmSync(join("dist", name))
}
