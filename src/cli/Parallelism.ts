import { availableParallelism } from "node:os"

/** Documents that one machine works on at the same time, unless somebody says otherwise. */
export const usual = (): number => Math.min(Math.max(availableParallelism(), 2), 8)
