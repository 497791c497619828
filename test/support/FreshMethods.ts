import { it, makeMethods } from "@effect/vitest"

// Files share a process, and `layer` of @effect/vitest gives the one `it` its own `effect` and `scoped`: each file begins with the first ones.
makeMethods(it)
