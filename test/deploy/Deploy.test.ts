import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parseAllDocuments } from "yaml"
import { paths } from "../../src/http/WorkerApi.ts"
import { variables } from "../../src/config/Variables.ts"

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

const bicep = read("src/deploy/azure/worker.bicep")
const manifests = read("src/deploy/kubernetes/worker.yaml")
const keda = read("src/deploy/kubernetes/keda.yaml")
const compose = read("src/deploy/compose/compose.yaml")
const dockerfile = read("Dockerfile")
const { version } = JSON.parse(read("package.json"))

const known = new Set(Object.values(variables).flatMap(({ aliases, name }) => [name, ...aliases]))

/** The variables that a file sets. */
const namesIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?:name: '|^\s+)([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:'|: )/gm)].map(([, name]) => name ?? "")

const numbersOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, number]) => Number(number))

describe("the deployment files", () => {
  it("set only variables that the worker reads", () => {
    for (const [file, text] of Object.entries({ bicep, manifests, compose })) {
      const names = namesIn(text)
      assert.isNotEmpty(names, file)
      assert.deepStrictEqual(
        names.filter((name) => !known.has(name)),
        [],
        file
      )
    }
  })

  it("ask paths that there are, at the worker's port", () => {
    for (const text of [bicep, manifests]) {
      const asked = [...text.matchAll(/path: '?(\/[\w/]+)'?/g)].map(([, path]) => path ?? "")
      assert.includeMembers(asked, ["/health/live", "/health/ready"])
      for (const path of asked) assert.isTrue(paths.has(path), path)
    }
    const port = Number(variables.apiPort.default)
    assert.deepStrictEqual(new Set(numbersOf(bicep, /(?:targetPort|port): (\d+)/g)), new Set([port]))
    assert.deepStrictEqual(numbersOf(manifests, /containerPort: (\d+)/g), [port])
    assert.deepStrictEqual(numbersOf(dockerfile, /^EXPOSE (\d+)/gm), [port, port])
  })

  it("scale by four tasks for each processing worker, and stop a replica after its grace", () => {
    assert.include(bicep, "queueLength: string(4 * processingWorkers)")
    const [workers = 0] = numbersOf(manifests, /NUM_PROCESSING_WORKERS: "(\d+)"/g)
    assert.deepStrictEqual(numbersOf(keda, /queueLength: "(\d+)"/g), [4 * workers])
    for (const grace of [
      ...numbersOf(`${bicep}\n${manifests}`, /terminationGracePeriodSeconds: (\d+)/g),
      ...numbersOf(compose, /stop_grace_period: (\d+)s/g)
    ]) {
      assert.isAtLeast(grace, Number(variables.shutdownGrace.default) + 15)
    }
  })

  it("name this version, and the user of the image by number", () => {
    const [user] = numbersOf(dockerfile, /^USER (\d+):\d+$/gm)
    assert.deepStrictEqual(new Set(numbersOf(manifests, /(?:runAsUser|runAsGroup|fsGroup): (\d+)/g)), new Set([user]))
    for (const [, tag] of `${manifests}\n${compose}`.matchAll(/contentflow-worker:([\w.]+)/g))
      assert.strictEqual(tag, version)
    assert.include(dockerfile, `ARG VERSION=${version}`)
  })

  it("are YAML without mistakes, and Bicep whose brackets and quotes close", () => {
    for (const text of [manifests, keda, compose, read("src/deploy/azure/azure.yaml")]) {
      for (const { errors } of parseAllDocuments(text)) assert.isEmpty(errors)
    }
    const open: Array<string> = []
    const code = bicep.replaceAll(/^\s*\/\/.*$/gm, "").replaceAll(/'(?:\\.|\$\{[^}]*\}|[^'\\\n])*'/g, "''")
    assert.notMatch(code.replaceAll("''", ""), /'/)
    for (const [bracket] of code.matchAll(/[()[\]{}]/g)) {
      if ("([{".includes(bracket)) open.push(bracket)
      else assert.strictEqual(`${open.pop()}${bracket}`.match(/^(?:\(\)|\[\]|\{\})$/)?.length, 1)
    }
    assert.isEmpty(open)
  })
})
