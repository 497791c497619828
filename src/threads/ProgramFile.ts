import process from "node:process"

/** A file beside this one that threads or processes run; where only this process was taught TypeScript, as by vitest on Node 20, the built one. */
export const beside = (name: string): URL => {
  if (!import.meta.url.endsWith(".ts")) return new URL(`./${name}.js`, import.meta.url)
  const runsTypeScript =
    "Deno" in globalThis || ("typescript" in process.features && process.features.typescript !== false)
  return new URL(runsTypeScript ? `./${name}.ts` : `../../dist/threads/${name}.js`, import.meta.url)
}
