/** `contentflow-worker/testing/conformance`: one suite a port, which every adapter must pass. They need the packages vitest and @effect/vitest. */

export * as TaskQueueSuite from "../testing/suites/TaskQueueSuite.ts"
export * as BlobStoreSuite from "../testing/suites/BlobStoreSuite.ts"
export * as DocumentContainerSuite from "../testing/suites/DocumentContainerSuite.ts"
export * as PipelineStoreSuite from "../testing/suites/PipelineStoreSuite.ts"
export * as VaultStoreSuite from "../testing/suites/VaultStoreSuite.ts"
export * as ExecutionStoreSuite from "../testing/suites/ExecutionStoreSuite.ts"
export * as CheckpointStoreSuite from "../testing/suites/CheckpointStoreSuite.ts"
export * as CrawlLockSuite from "../testing/suites/CrawlLockSuite.ts"
/** The documents behind the stores, which the suites of stores look at. */
export * as StoreContainers from "../testing/StoreContainers.ts"
