import * as Context from "effect/Context"
import type { AzureSettings } from "../azure/AzureConfig.ts"
import type { DocumentContainer } from "../store/DocumentContainer.ts"

/** The documents behind the stores, as another program sees them: the suites look at what was stored, and store what others might. */
export class Containers extends Context.Tag("contentflow-worker/testing/Containers")<
  Containers,
  { readonly [name in keyof AzureSettings["containers"]]: DocumentContainer }
>() {}
