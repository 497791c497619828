// Loaded before the worker: sends SIGTERM as soon as anything listens, and tells what was loaded by then.
import process from "node:process"

process.on("newListener", (name) => {
  if (name !== "SIGTERM") return
  const isLoaded = Reflect.ownKeys(globalThis).some((key) => String(key).includes("effect/GlobalValue"))
  process.stderr.write(isLoaded ? "Effect was loaded before\n" : "")
  setImmediate(() => process.kill(process.pid, "SIGTERM"))
})
