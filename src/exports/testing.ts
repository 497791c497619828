/** `contentflow-worker/testing`: what the worker's own tests use. Its README (src/testing) shows it. */

/** One node of an executor type, with its settings checked. */
export * as ExecutorTest from "../testing/ExecutorTest.ts"
/** The engine with everything in memory, on the time of TestClock. */
export * as MemoryEngine from "../testing/MemoryEngine.ts"
/** A time that jumps from timer to timer, for processes that may die with all their timers. */
export * as VirtualClock from "../testing/VirtualClock.ts"
/** Effect's TestClock by such a time. */
export * as VirtualTestClock from "../testing/VirtualTestClock.ts"
/** Services whose every call can be the one that fails, or the last of its process. */
export * as CrashingPorts from "../testing/CrashingPorts.ts"
/** An HTTP server in front of a service that delays, cuts and falsifies calls. */
export * as FaultProxy from "../testing/FaultProxy.ts"
/** Waits by the wall clock for what processes of their own do. */
export * as Eventually from "../testing/Eventually.ts"

/** Language models and embeddings that answer as a test says: `layerScripted`. */
export * as LanguageModel from "../services/language/LanguageModel.ts"
export * as Embeddings from "../services/embedding/Embeddings.ts"
