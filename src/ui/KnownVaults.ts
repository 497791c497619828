import type { VaultState } from "../operations/Vaults.ts"
import { useLoaded } from "./Loaded.ts"
import * as Server from "./Server.ts"

/** The vaults, by id. */
export const useVaults = (): ReadonlyMap<string, VaultState> => {
  const { data } = useLoaded("vaults", () => Server.get<Server.Page<VaultState>>("/vaults"))
  return new Map(data?.items.map((vault) => [vault.id, vault]))
}
