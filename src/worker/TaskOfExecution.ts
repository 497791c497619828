import type { Execution } from "../domain/Execution.ts"
import * as Ids from "../domain/Ids.ts"
import type { Task } from "../domain/Task.ts"
import * as ExecutionChanges from "./ExecutionChanges.ts"

/** The task of an execution as it was sent; without content where the execution does not hold it. */
export const make = (execution: Execution, inputExecutor: Ids.ExecutorId | null, maxRetries: number): Task => ({
  // A program that sends tasks may write none.
  task_id: execution.task_id ?? Ids.TaskId.make(execution.id),
  task_type: "content_processing",
  priority: "normal",
  pipeline_id: execution.pipeline_id,
  pipeline_name: execution.pipeline_name,
  execution_id: execution.id,
  vault_id: execution.vault_id,
  content: ExecutionChanges.itemsOf(execution) ?? [],
  executed_input_executor: inputExecutor,
  created_at: execution.created_at,
  retry_count: 0,
  max_retries: maxRetries,
  content_reference: null,
  etags: ExecutionChanges.etagsOf(execution)
})
