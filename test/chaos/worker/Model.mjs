import process from "node:process"

/* The one address that pipelines have for the model leads each worker to a door of its own: CHAOS_MODELS says where. */

const door = process.env["CHAOS_MODELS"]
const { fetch: real } = globalThis

if (door !== undefined) {
  globalThis.fetch = (input, init) =>
    real(typeof input === "string" ? input.replace("http://models.localhost", door) : input, init)
}
