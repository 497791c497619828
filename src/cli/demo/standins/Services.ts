import * as Effect from "effect/Effect"
import * as AnalysisStandIn from "./AnalysisStandIn.ts"
import * as ModelStandIn from "./ModelStandIn.ts"
import * as SearchStandIn from "./SearchStandIn.ts"
import * as StandIn from "./StandIn.ts"

/** Where the services that pipelines call are, and what only a stand-in can tell. */
export interface Services {
  /** Models and embeddings, with `/v1`. */
  readonly models: string
  /** Document Intelligence and Content Understanding. */
  readonly analysis: string
  readonly search: string
  /** The indexes of `search`. */
  readonly indexes: SearchStandIn.SearchStandIn["indexes"]
}

/** Stand-ins for all of them in this process, until the scope closes. */
export const start = Effect.gen(function* () {
  const search = SearchStandIn.make()
  const services: Services = {
    models: `${yield* StandIn.serve(ModelStandIn.handle)}/v1`,
    analysis: yield* StandIn.serve(AnalysisStandIn.make().handle),
    search: yield* StandIn.serve(search.handle),
    indexes: search.indexes
  }
  return services
})
