import type { TokenCredential } from "@azure/identity"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AzureConfig } from "./AzureConfig.ts"

/** How this process signs in wherever no connection string or key is configured: one credential for all clients. */
export class Credentials extends Context.Tag("contentflow-worker/azure/Credentials")<
  Credentials,
  {
    /** Costs nothing until a client asks it for its first token; its failures are told by the call that needed the token. */
    readonly credential: TokenCredential
  }
>() {}

/** The default chain: environment, workload identity, managed identity (the one named by AZURE_CLIENT_ID), developer tools. */
export const layer: Layer.Layer<Credentials, never, AzureConfig> = Layer.effect(
  Credentials,
  Effect.map(AzureConfig, ({ clientId }) => {
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
  })
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
