import { nameOf } from "../domain/Content.ts"
import type { Task } from "../domain/Task.ts"

/** What spans say of a task. */
export const factsOf = ({ content, execution_id, pipeline_id, pipeline_name, task_id, vault_id }: Task) => {
  const [first] = content
  return {
    "contentflow.task.id": task_id,
    "contentflow.execution.id": execution_id,
    "contentflow.pipeline.id": pipeline_id,
    "contentflow.pipeline.name": pipeline_name,
    "contentflow.vault.id": vault_id,
    ...(first === undefined ? {} : { "contentflow.document": nameOf(first) }),
    "contentflow.documents": content.length
  }
}
