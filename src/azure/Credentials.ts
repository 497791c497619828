import type { TokenCredential } from "@azure/identity"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AzureConfig } from "./AzureConfig.ts"

/** Signs this process in where no connection string or key is configured: one credential for all clients. */
export class Credentials extends Context.Tag("contentflow-worker/azure/Credentials")<
  Credentials,
  {
    /** Costs nothing until a client asks for its first token; fails the call that needs the token. */
    readonly credential: TokenCredential
  }
>() {}

/** The default chain: environment, workload identity, managed identity (the user-assigned one of `clientId`), developer tools. */
export const make = (clientId: string | null): Credentials["Type"] => {
  let chain: Promise<TokenCredential> | undefined
  return {
    credential: {
      getToken: (scopes, options) => {
        // A failed load is not kept, so that the next call tries again.
        chain ??= loadDefaultChain(clientId).catch((cause: unknown) => {
          chain = undefined
          throw cause
        })
        return chain.then((credential) => credential.getToken(scopes, options))
      }
    }
  }
}

export const layer: Layer.Layer<Credentials, never, AzureConfig> = Layer.effect(
  Credentials,
  Effect.map(AzureConfig, ({ clientId }) => make(clientId))
)

/** A credential of the embedding program's own. */
export const layerOf = (credential: TokenCredential): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, { credential })

/** Loaded on demand: the library costs a third of a second and 20 MB, which an emulator or a key does not need. */
const loadDefaultChain = (clientId: string | null): Promise<TokenCredential> =>
  import("@azure/identity").then(
    ({ DefaultAzureCredential }) =>
      new DefaultAzureCredential(
        clientId === null ? {} : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }
      )
  )
