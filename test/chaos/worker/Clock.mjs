import { readFileSync } from "node:fs"
import process from "node:process"
import { setInterval } from "node:timers"

/*
 * A wall clock that steps while the process runs: the file that CHAOS_CLOCK names holds the milliseconds to add. Timers and the monotonic
 * clock go on, as they do when a machine's time is set.
 */

const file = process.env["CHAOS_CLOCK"]
const Real = Date
let shift = 0

const look = () => {
  shift = Number(readFileSync(file, "utf8"))
}

if (file !== undefined) {
  look()
  setInterval(look, 200).unref()
  globalThis.Date = class Date extends Real {
    constructor(...parts) {
      if (parts.length === 0) super(Real.now() + shift)
      else super(...parts)
    }
    static now() {
      return Real.now() + shift
    }
  }
}
