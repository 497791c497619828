import { Context, Effect, Layer } from "effect"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import process from "node:process"
import type { Browser as Chromium, Page } from "playwright-core"

/** A browser without a window, started once for a file of tests. */
export class Browser extends Context.Tag("test/Browser")<Browser, Chromium>() {}

const installed = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome"
].find((path) => path !== "" && existsSync(path))

/** The Chromium of the machine, else the one that lies in an npm package. */
export const layer = Layer.scoped(
  Browser,
  Effect.acquireRelease(
    Effect.promise(async () => {
      const { chromium } = await import("playwright-core")
      const executablePath = installed ?? (await (await import("@sparticuz/chromium")).default.executablePath())
      return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] })
    }),
    (browser) => Effect.promise(() => browser.close())
  )
)

const folder = process.env["SCREENSHOTS"]

/** Keeps a picture where `SCREENSHOTS` names a folder. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** What axe finds wrong with what is shown, in light and in dark. */
export const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    await page.evaluate(`${axe}; 0`)
    const results = await page.evaluate<{
      readonly violations: ReadonlyArray<{
        readonly id: string
        readonly nodes: ReadonlyArray<{ readonly html: string }>
      }>
    }>("axe.run()")
    for (const { id, nodes } of results.violations) {
      found.push(`${colorScheme}: ${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(" | ")}`)
    }
  }
  await page.emulateMedia({ colorScheme: "light" })
  return found
}
