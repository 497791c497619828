import { Effect } from "effect"
import type { Page } from "playwright-core"
import * as Browser from "./Browser.ts"
import { operator, World } from "./World.ts"

/** A page of its own, with what went wrong in it. */
export const opened = Effect.gen(function* () {
  const browser = yield* Browser.Browser
  const { url } = yield* World
  const context = yield* Effect.acquireRelease(
    Effect.promise(() =>
      browser.newContext({ viewport: { width: 1_280, height: 900 }, timezoneId: "Asia/Tokyo", locale: "en-GB" })
    ),
    (context) => Effect.promise(() => context.close())
  )
  const page = yield* Effect.promise(() => context.newPage())
  const errors: Array<string> = []
  page.on("pageerror", (error) => errors.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) errors.push(message.text())
  })
  page.setDefaultTimeout(20_000)
  return { context, errors, page, url }
})

/** The page of an operator, at a view. */
export const at = Effect.fnUntraced(function* (address: string, token = operator) {
  const tab = yield* opened
  yield* Effect.promise(async () => {
    await tab.page.goto(`${tab.url}/ui#${address}`)
    await tab.page.getByLabel("Token").fill(token)
    await tab.page.getByRole("button", { name: "Sign in" }).click()
    await tab.page.getByRole("navigation").waitFor()
  })
  return tab
})

export const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true })

/** Goes to a view by the navigation. */
export const visit = (page: Page, view: string): Promise<void> =>
  page.getByRole("navigation").getByRole("link", { name: view, exact: true }).click()

/** Presses a button that asks, and then the one that does it. */
export const press = async (page: Page, name: string | RegExp, does: string | RegExp): Promise<void> => {
  await button(page, name).click()
  await page.getByRole("dialog").getByRole("button", { name: does, exact: true }).click()
}

export const progress = (page: Page) => page.getByRole("region", { name: "The operation that was begun" })

/** Waits until what the page was told to do is done behind it. */
export const eventually = <R>(isTrue: Effect.Effect<boolean, never, R>) =>
  Effect.repeat(Effect.delay(isTrue, "50 millis"), { until: (is) => is }).pipe(
    Effect.timeout("20 seconds"),
    Effect.orDie
  )
