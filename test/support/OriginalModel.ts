const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/

const isText = (value: unknown) => typeof value === "string"
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value)
const isTime = (value: unknown) => typeof value === "string" && timestamp.test(value)
const optional = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || value === null || check(value)
const listOf = (check: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(check)

/** The API's model (src/domain/README.md): one document that breaks it makes the list of the whole vault fail. */
const model: Readonly<Record<string, (value: unknown) => boolean>> = {
  id: isText,
  pipeline_id: isText,
  pipeline_name: isText,
  vault_id: isText,
  status: (value) => ["pending", "running", "completed", "failed"].includes(String(value)),
  status_message: optional(isText),
  task_id: optional(isText),
  source_worker_id: optional(isText),
  processing_worker_id: optional(isText),
  content: optional(listOf(isObject)),
  number_of_items: optional(Number.isInteger),
  created_at: isTime,
  created_by: optional(isText),
  updated_at: optional(isTime),
  started_at: optional(isTime),
  completed_at: optional(isTime),
  error: optional(isText),
  executor_outputs: optional(isObject),
  events: optional(listOf(isObject))
}

/** The fields of an execution that the original's API does not take, with their values. */
export const objections = (document: Readonly<Record<string, unknown>>): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(model).flatMap(([name, check]) => (check(document[name]) ? [] : [[name, document[name]] as const]))
