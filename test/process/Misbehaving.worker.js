// Parses like a thread of the worker, except for documents that say what harm they do. Plain JavaScript, because Node 20 starts no
// thread from TypeScript.
const parse = await import(
  "Deno" in globalThis ? "../../src/threads/Parse.worker.ts" : "../../dist/threads/Parse.worker.js"
)

const harm = {
  "spin for ever": () => {
    for (;;);
  },
  "eat all memory": () => {
    const hoard = []
    for (;;) hoard.push(Array.from({ length: 10_000 }, Math.sqrt))
  }
}

export default (task) => {
  harm[new TextDecoder().decode(task.input.bytes)]?.()
  return parse.default(task)
}
