import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Catalog } from "../executor/Catalog.ts"
import * as CatalogMarkdown from "../executor/CatalogMarkdown.ts"
import * as CatalogYaml from "../executor/CatalogYaml.ts"
import * as UnknownType from "../pipeline/UnknownType.ts"
import { commonSettingsOf, everywhere } from "./executors/CommonSettingsOf.ts"
import * as Describe from "./executors/Describe.ts"
import * as LocalWorker from "./run/LocalWorker.ts"
import { version } from "../config/Version.ts"
import { wrongUsage } from "./WrongUsage.ts"

export interface ExecutorsOptions {
  /** One type instead of all. */
  readonly type: Option.Option<string>
  readonly format: "text" | "json" | "catalog-yaml" | "markdown"
}

/** Tells of the executor types, all or one, on standard output. */
export const executors = ({ format, type }: ExecutorsOptions) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const chosen = yield* Option.match(type, {
      onNone: () => Effect.succeed(catalog.all),
      onSome: (id) =>
        Option.match(catalog.find(id), {
          onNone: () => wrongUsage(`${UnknownType.describe(id, catalog)} List them with: contentflow-worker executors`),
          onSome: (executor) => Effect.succeed([executor])
        })
    })
    switch (format) {
      case "text":
        return yield* Console.log(
          Option.isNone(type) ? Describe.list(chosen) : chosen.map(Describe.details).join("\n\n")
        )
      case "json": {
        const described = chosen.map(Describe.toJson)
        return yield* Console.log(JSON.stringify(Option.isNone(type) ? described : described[0], null, 2))
      }
      case "catalog-yaml":
        return yield* Console.log(CatalogYaml.print(chosen, { commonOf: commonSettingsOf, version }).trimEnd())
      case "markdown":
        return yield* Console.log(CatalogMarkdown.print(chosen, everywhere(true)).trimEnd())
    }
  }).pipe(Effect.provide(LocalWorker.catalog))
