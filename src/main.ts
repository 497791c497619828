#!/usr/bin/env node
import * as Signals from "./cli/Signals.ts"
import * as StandardStreams from "./cli/StandardStreams.ts"

// Before all else is loaded: the kernel drops a signal that process 1 has no handler for.
Signals.listen()
StandardStreams.survive()

const { main } = await import("./cli/Main.ts")
main()
