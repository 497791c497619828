import * as NearestName from "../text/NearestName.ts"
import type { DotEnv } from "./DotEnv.ts"
import { variables } from "./Variables.ts"

const known: ReadonlySet<string> = new Set(Object.values(variables).flatMap(({ aliases, name }) => [name, ...aliases]))

/** Sentences about names in the file that are none of ours, and look as if one of ours was meant. All others may be another program's. */
export const find = ({ names, path }: DotEnv): ReadonlyArray<string> =>
  names.flatMap((name) => {
    const near = known.has(name) ? undefined : NearestName.find(name, known)
    return near === undefined
      ? []
      : [`${path ?? ".env"}: ${name} is no setting of this worker; ${near} is meant, perhaps`]
  })
