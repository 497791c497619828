import * as Context from "effect/Context"
import type { DocumentContainer } from "./DocumentContainer.ts"

/**
 * Documents by which the workers of a fleet are seen and controlled: heartbeats, what is paused, operations and how far they are. They lie beside
 * the crawl locks, where the original looks documents up by its own ids only; each has a `kind`.
 */
export class ControlStore extends Context.Tag("contentflow-worker/store/ControlStore")<
  ControlStore,
  DocumentContainer
>() {}
