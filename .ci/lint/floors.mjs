// Holds the floors of the house: a file imports from its own room or from a floor below, and no files import each other in a circle.
import { readFileSync, readdirSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"

// From the ground up. Rooms of one line don't import each other.
const floors = [
  ["text"],
  ["python", "yaml"],
  ["condition", "cosmossql", "xpath", "domain"],
  ["concurrency", "telemetry"],
  ["web"],
  ["documents", "azure"],
  ["config", "threads"],
  ["blob", "queue", "store"],
  ["embedded"],
  ["executor"],
  ["services"],
  ["executors", "pipeline"],
  ["worker"],
  ["operations", "forecast"],
  ["http", "ui"],
  ["AzureWorker.ts", "FolderWorker.ts"],
  ["cli", "index.ts"],
  ["testing"],
  ["exports"],
  ["main.ts"]
]

const files = readdirSync("src", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => relative(".", join(entry.parentPath ?? entry.path, entry.name)))
const roomOf = (file) => file.split("/")[1]
const floorOf = (file) => floors.findIndex((rooms) => rooms.includes(roomOf(file)))
const importsOf = new Map(
  files.map((file) => [
    file,
    [...readFileSync(file, "utf8").matchAll(/(?:from\s+|import\(\s*)"(\.{1,2}\/[^"]+)"/g)].map(([, path]) =>
      normalize(join(dirname(file), path))
    )
  ])
)

const problems = []
for (const [file, targets] of importsOf) {
  if (floorOf(file) === -1) problems.push(`${file}: the room ${roomOf(file)} stands on no floor; give it one in .ci/lint/floors.mjs`)
  for (const target of targets) {
    if (roomOf(file) !== roomOf(target) && floorOf(target) >= floorOf(file)) problems.push(`${file} imports ${target}, which is not below it`)
  }
}

// Circles, of types too: depth first, where a file that is still open closes one.
const done = new Set()
const visit = (file, open) => {
  if (done.has(file)) return
  const from = open.indexOf(file)
  if (from !== -1) {
    problems.push(`circle: ${[...open.slice(from), file].join(" → ")}`)
    return
  }
  for (const target of importsOf.get(file) ?? []) visit(target, [...open, file])
  done.add(file)
}
for (const file of files) visit(file, [])

if (problems.length > 0) {
  console.error(problems.join("\n"))
  process.exit(1)
}
