/** `contentflow-worker/executor`: what a file with executors of your own imports. It loads no Azure SDK, no parser and no engine. */

export * as Catalog from "../executor/Catalog.ts"
/** `Executor.define({ … })` makes a type of your own. */
export * as Executor from "../executor/Executor.ts"
/** The error of a node, and what may be tried again. */
export * as ExecutorError from "../executor/ExecutorError.ts"
/** Values at dotted paths of `data`. */
export * as FieldPath from "../executor/DottedPath.ts"
/** Entries in the logs of items, for nodes that work on all items at once. */
export * as ItemLog from "../executor/ItemLog.ts"
/** How a node works item by item: concurrency, time-outs, log entries, the error rule. */
export * as PerItem from "../executor/PerItem.ts"
export * as Retry from "../executor/Retry.ts"
/** The task behind a run: `context.run`. */
export * as RunFacts from "../executor/RunFacts.ts"
/** What an executor's settings may be: `Settings.string({ … })`, `Settings.integer({ … })`, … */
export * as Settings from "../executor/Settings.ts"
/** What calls of paid services used: `context.meter`. */
export * as Usage from "../executor/Usage.ts"

/** The ports that executors may require; the worker provides them. */
export * as BlobStore from "../blob/BlobStore.ts"
export * as LanguageModel from "../services/language/LanguageModel.ts"

export * as Content from "../domain/Content.ts"
export * as Ids from "../domain/Ids.ts"
export * as ServiceError from "../domain/ServiceError.ts"
