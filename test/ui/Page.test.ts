import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { Page } from "playwright-core"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Browser from "./Browser.ts"
import { at, button, eventually, opened, press, progress } from "./Tab.ts"
import { evil, failed, healed, held, layer as worldLayer, once, reader, scans, stored, World } from "./World.ts"

const executionOf = (id: string) => Effect.map(MemoryStores, ({ executions }) => executions.documents.get(id))

const statusOf = (id: string) => Effect.map(executionOf(id), (execution) => execution?.["status"])

const accessible = (page: Page, name: string) =>
  Effect.promise(async () => {
    assert.deepStrictEqual(await Browser.violations(page), [], name)
    await Browser.picture(page, name)
  })

describe("the page", () => {
  if ("Deno" in globalThis) {
    it.skip("is tested on Node alone: the browser's driver does not run on Deno", () => {})
    return
  }

  layer(Layer.merge(Browser.layer, worldLayer), { excludeTestServices: true })((it) => {
    it.scoped("asks who is there; a reader sees, and has no buttons that act", () =>
      Effect.gen(function* () {
        yield* failed(1)
        const { context, page, url } = yield* opened
        yield* Effect.promise(() => page.goto(`${url}/ui`))
        yield* Effect.promise(() => page.getByLabel("Token").waitFor())
        yield* accessible(page, "sign-in")
        yield* Effect.promise(async () => {
          await page.getByLabel("Token").fill("a wrong one")
          await button(page, "Sign in").click()
          await page.getByText("The token is not valid.").waitFor()
          await page.getByLabel("Token").fill(reader)
          await button(page, "Sign in").click()
          await page.getByRole("link", { name: "Executions" }).click()
          await page.getByRole("link", { name: "contracts/lease-1.pdf" }).click()
          await page.getByRole("heading", { name: "Error" }).waitFor()
          for (const name of ["Retry", "Delete", "Cancel"])
            assert.strictEqual(await button(page, name).count(), 0, name)
          const [cookie] = await context.cookies()
          assert.deepInclude(cookie, { httpOnly: true, sameSite: "Strict" })
          await button(page, "Sign out").click()
          await page.getByLabel("Token").waitFor()
          await page.reload()
          await page.getByLabel("Token").waitFor()
        })
      })
    )

    it.scoped("opens by the link that serve prints, once, and keeps the token out of the address", () =>
      Effect.gen(function* () {
        const first = yield* opened
        yield* Effect.promise(async () => {
          await first.page.goto(`${first.url}/ui#token=${encodeURIComponent(once)}`)
          await first.page.getByRole("navigation").waitFor()
          assert.strictEqual(first.page.url(), `${first.url}/ui#/`)
          await first.page.goBack()
          assert.notInclude(first.page.url(), "token")
        })
        const second = yield* opened
        yield* Effect.promise(async () => {
          await second.page.goto(`${second.url}/ui#token=${encodeURIComponent(once)}`)
          await second.page.getByText("The token is not valid.").waitFor()
        })
      })
    )

    it.scoped("lets nothing else run in it, and keeps what it is made of", () =>
      Effect.gen(function* () {
        const { url } = yield* World
        yield* Effect.promise(async () => {
          const page = await fetch(`${url}/ui`)
          const text = await page.text()
          const policy = page.headers.get("content-security-policy") ?? ""
          for (const part of [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for"
          ])
            assert.include(policy, part)
          assert.notInclude(policy, "unsafe")
          assert.strictEqual(page.headers.get("cache-control"), "no-cache")
          const [script = ""] = /\/ui\/assets\/[\w-]+\.js/.exec(text) ?? []
          const asset = await fetch(url + script)
          assert.strictEqual(asset.status, 200)
          assert.include(asset.headers.get("cache-control") ?? "", "immutable")
          await asset.arrayBuffer()
          for (const path of ["/ui/assets/none.js", "/ui/assets/..%2findex.html", "/ui/assets/%2e%2e/LICENSES.txt"]) {
            const answer = await fetch(url + path)
            assert.strictEqual(answer.status, 404, path)
            await answer.arrayBuffer()
          }
          const data = await fetch(`${url}/executions`, { headers: { authorization: `Bearer ${reader}` } })
          assert.strictEqual(data.headers.get("cache-control"), "no-store")
          await data.arrayBuffer()
        })
      })
    )

    it.scoped("shows poison messages, and puts them back or discards them", () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* Effect.forEach([1, 2, 3], (i) =>
          Engine.enqueue(30_000 + i, { content: [Engine.item(`notes/broken-${i}.pdf`)] })
        )
        yield* queue.sendPoison("no task of ours")
        yield* eventually(Effect.orDie(Effect.map(queue.stats, ({ poisonDepth }) => poisonDepth === 4)))
        const { errors, page } = yield* at("/poison")
        yield* Effect.promise(() => page.getByText("4 in all").waitFor())
        yield* accessible(page, "poison")
        for (const i of [1, 2, 3]) healed.add(`notes/broken-${i}.pdf`)
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: "notes/broken-1.pdf" }).click()
          await page.getByText("Page 3 of notes/broken-1.pdf can't be read").first().waitFor()
        })
        yield* accessible(page, "poison-message")
        yield* Effect.promise(async () => {
          await button(page, "Put back: notes/broken-1.pdf").click()
          await page.getByText("It is in the queue again.").waitFor()
          await page.getByLabel("Reason").fill("can't be read")
          await button(page, "Filter").click()
          await page.getByText("2 in all").waitFor()
          await press(page, "Put back all", "Put back 2 messages")
          await progress(page).getByText("2 done, 0 skipped, 0 failed").waitFor()
          await page.getByRole("link", { name: "Clear" }).click()
          await page.getByText("1 in all").waitFor()
          await press(page, /^Discard: /, "Discard")
          await page.getByText("No messages match.").waitFor()
        })
        for (const i of [1, 2, 3])
          yield* eventually(Effect.map(statusOf(`exec_${30_000 + i}`), (status) => status === "completed"))
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("crawls, pauses and resumes a vault, and processes its documents again", () =>
      Effect.gen(function* () {
        const { errors, page } = yield* at("/vaults")
        yield* Effect.promise(() =>
          page
            .getByRole("row", { name: /^Scans / })
            .getByText("on")
            .waitFor()
        )
        yield* accessible(page, "vaults")
        scans.add("scans/1.pdf").add("scans/2.pdf")
        yield* Effect.promise(async () => {
          await button(page, "Crawl now: Scans").click()
          await page.getByText("A worker crawls it as soon as one is free.").waitFor()
          await button(page, "Pause: Contracts").click()
          await button(page, "Resume: the vault vault-1").waitFor()
          await button(page, "Resume: Contracts").click()
          await page.getByText("Nothing is paused.").waitFor()
          await page.getByLabel("Pause of everything").selectOption("processing")
          await button(page, "Pause: everything").click()
          await page.getByText("processing of everything, by operator").waitFor()
          await button(page, "Resume: everything").click()
          await page.getByText("Nothing is paused.").waitFor()
          await page.getByRole("link", { name: "Scans" }).click()
        })
        const ofScans = Effect.map(MemoryStores, ({ executions }) =>
          [...executions.documents.values()].filter(
            ({ status, vault_id }) => vault_id === "vault-2" && status === "completed"
          )
        )
        yield* eventually(Effect.map(ofScans, ({ length }) => length === 2))
        yield* Effect.promise(async () => {
          await page.reload()
          await page.getByRole("row", { name: /^list at rest/ }).waitFor()
        })
        yield* accessible(page, "vault")
        yield* Effect.promise(async () => {
          await page.getByLabel("Documents").selectOption("all")
          await press(page, "Process again", "Process 2 documents again")
          await progress(page).getByText("2 done, 0 skipped, 0 failed").waitFor()
        })
        yield* eventually(Effect.map(ofScans, ({ length }) => length === 4))
        const { checkpoints, vaults } = yield* MemoryStores
        const [crawled] = [...checkpoints.documents.values()].filter(({ crawling }) => crawling === false)
        const deletions_held = { token: "0a1b2c3d", documents: 12, of: 40 }
        yield* checkpoints.patch(String(crawled?.["id"]), { deletions_held }, {})
        yield* Effect.promise(async () => {
          await page.getByRole("navigation").getByRole("link", { name: "Vaults" }).click()
          await page
            .getByRole("row", { name: /^Scans / })
            .getByText("12 deletions held")
            .waitFor()
        })
        yield* accessible(page, "vaults-held")
        yield* Effect.promise(async () => {
          await button(page, "Confirm deletions: Scans").click()
          const dialog = page.getByRole("dialog")
          await dialog.getByText("Remove the outputs of 12 of 40 documents").waitFor()
          await dialog.getByRole("button", { name: "Confirm deletions" }).click()
          await page.getByText("Deletions confirmed. Of the vault Scans, 12 of 40 documents").waitFor()
          await page.getByText("12 deletions held").waitFor({ state: "detached" })
        })
        assert.strictEqual(vaults.documents.get("vault-2")?.["confirmed_deletions"], "0a1b2c3d")
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("shows one execution as it ran, and retries, cancels and deletes it", () =>
      Effect.gen(function* () {
        yield* Engine.enqueue(21_001, { content: [Engine.item("reports/broken-3.pdf")] })
        yield* eventually(Effect.map(statusOf("exec_21001"), (status) => status === "failed"))
        const { errors, page } = yield* at("/executions/exec_21001")
        yield* Effect.promise(async () => {
          await page.getByText("Page 3 of reports/broken-3.pdf can't be read").first().waitFor()
          await page
            .getByRole("img", { name: "read: completed, judge: failed, store: not run, index: not run" })
            .waitFor()
          const node = page.getByRole("row", { name: /^judge / })
          await node.getByText("failed").first().waitFor()
          await page.getByRole("cell", { name: "gpt-4.1" }).waitFor()
        })
        yield* accessible(page, "execution")
        held.set("reports/broken-3.pdf", new Promise(() => {}))
        yield* Effect.promise(async () => {
          await button(page, "Retry: reports/broken-3.pdf").click()
          await page.getByText("It is in the queue again.").waitFor()
          await page.getByRole("heading", { name: "Earlier runs" }).waitFor()
          await press(page, "Cancel: reports/broken-3.pdf", "Cancel")
          await page.getByText("cancelled").first().waitFor()
        })
        held.clear()
        yield* eventually(Effect.map(statusOf("exec_21001"), (status) => status === "failed"))
        yield* Effect.promise(async () => {
          await press(page, "Delete: reports/broken-3.pdf", "Delete")
          await page.getByRole("heading", { name: "Executions" }).waitFor()
        })
        yield* eventually(Effect.map(executionOf("exec_21001"), (execution) => execution === undefined))
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("shows names and errors that look like scripts as what they are", () =>
      Effect.gen(function* () {
        yield* failed(0, {
          content: [{ id: { canonical_id: evil } }],
          error: `${evil} is broken`,
          status_message: evil
        })
        const { errors, page } = yield* at("/executions?status=failed")
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: evil }).click()
          await page.getByText(`${evil} is broken`).first().waitFor()
          await page.getByRole("link", { name: "Overview" }).click()
          await page.getByRole("heading", { name: "Failures by reason" }).waitFor()
          assert.strictEqual(await page.locator("img").count(), 0)
          assert.strictEqual(await page.title(), "Overview – ContentFlow worker")
        })
        yield* accessible(page, "overview")
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("shows what comes without a reload, also over an answer that was asked for before", () =>
      Effect.gen(function* () {
        yield* failed(22_000, { status: "completed", error: null })
        const tab = yield* at("/vaults")
        const { errors, page } = tab
        const number = Date.now()
        const name = `notes/${number}.pdf`
        let release = () => {}
        const late = new Promise<void>((resolve) => (release = resolve))
        let answers = 0
        yield* Effect.promise(async () => {
          await page.getByText("live", { exact: true }).waitFor()
          // Each answer is as of now, and the second comes late.
          await page.route("**/executions?*", async (route) => {
            const response = await route.fetch()
            if (++answers === 2) await late
            await route.fulfill({ response })
          })
          await page.getByRole("link", { name: "Executions" }).click()
          await page.getByRole("table").waitFor()
          await button(page, "Reload").click()
        })
        yield* eventually(Effect.sync(() => answers === 2))
        yield* failed(number, {
          status: "completed",
          error: null,
          content: [{ id: { canonical_id: name } }],
          created_at: new Date().toISOString()
        })
        yield* Effect.promise(async () => {
          const link = page.getByRole("link", { name })
          await link.waitFor()
          const answered = page.waitForEvent("requestfinished", (request) => request.url().includes("/executions?"))
          release()
          await answered
          await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
          assert.strictEqual(await link.count(), 1)
        })
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("shows what came before it could be told of changes, and an answer though a later one is asked for", () =>
      Effect.gen(function* () {
        const number = Date.now()
        const summary = { status: "running", error: null, completed_at: null, created_at: new Date().toISOString() }
        yield* failed(number, { ...summary, content: [{ id: { canonical_id: "notes/early.pdf" } }] })
        // Other tests count what has not ended.
        yield* Effect.addFinalizer(() =>
          Effect.forEach([number, number + 1], (each) => failed(each, { status: "completed", error: null })).pipe(
            Effect.orDie
          )
        )
        const { errors, page } = yield* at("/vaults")
        let follow = () => {}
        const following = new Promise<void>((resolve) => (follow = resolve))
        let answers = 0
        const asked: Array<() => void> = []
        yield* Effect.promise(async () => {
          // The page cannot be told of anything yet.
          await page.route("**/events", async (route) => {
            await following
            await route.continue()
          })
          await page.reload()
          await page.getByRole("navigation").waitFor()
          await page.getByRole("link", { name: "Executions" }).click()
          await page.getByRole("table").waitFor()
        })
        yield* failed(number + 1, { ...summary, content: [{ id: { canonical_id: `notes/${number}.pdf` } }] })
        yield* Effect.promise(async () => {
          assert.strictEqual(await page.getByRole("link", { name: `notes/${number}.pdf` }).count(), 0)
          follow()
          await page.getByRole("link", { name: `notes/${number}.pdf` }).click()
          await page.getByRole("heading", { level: 1 }).waitFor()
          // From now on no answer comes before the one after it was asked for.
          await page.route(`**/executions/exec_${number + 1}`, async (route) => {
            const response = await route.fetch()
            answers++
            await new Promise<void>((resolve) => {
              asked.shift()?.()
              asked.push(resolve)
            })
            await route.fulfill({ response })
          })
        })
        yield* failed(number + 1, { ...summary, error: "Nobody hears of it" })
        yield* Effect.promise(() => page.getByText("Nobody hears of it").first().waitFor())
        assert.isAtLeast(answers, 2)
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("puts a thousand executions back by one click, each of which runs once", () =>
      Effect.gen(function* () {
        for (let i = 1; i <= 1_000; i++) yield* failed(i)
        const { errors, page } = yield* at("/executions?status=failed&document=contracts")
        yield* Effect.promise(() => page.getByText("500 loaded, more below").waitFor())
        yield* accessible(page, "executions")
        yield* Effect.promise(async () => {
          await button(page, "Retry all").click()
          await page.getByRole("dialog").getByText("Retry 1,000 executions?").waitFor()
        })
        yield* accessible(page, "confirmation")
        yield* Effect.promise(async () => {
          await page.getByRole("dialog").getByRole("button", { name: "Retry 1,000 executions" }).click()
          await progress(page).getByText("1,000 done, 0 skipped, 0 failed").waitFor()
        })
        yield* eventually(
          Effect.map(MemoryStores, ({ executions }) =>
            [...executions.documents.values()].every(({ id, status }) => id === "exec_0" || status === "completed")
          )
        )
        assert.deepStrictEqual(
          [...stored].filter(([name, times]) => name.startsWith("contracts/") && times !== 1),
          []
        )
        yield* Effect.promise(() => page.getByText("No executions match.").waitFor())
        assert.deepStrictEqual(errors, [])
      })
    )

    it.scoped("scrolls through ten thousand rows, with a few of them in the document", () =>
      Effect.gen(function* () {
        for (let i = 2_000; i < 12_000; i++) yield* failed(i, { status: "completed", error: null })
        const { page } = yield* at("/executions?status=completed")
        yield* Effect.promise(async () => {
          const region = page.getByRole("region", { name: "Executions" })
          await region.focus()
          const last = page.getByRole("link", { name: "contracts/lease-11999.pdf" })
          // Each time the next rows are loaded, until there are none.
          for (let i = 0; i < 200 && (await last.count()) === 0; i++) {
            await page.keyboard.press("End")
            await page.waitForTimeout(20)
          }
          await last.waitFor()
          assert.isBelow(await region.getByRole("row").count(), 100)
        })
      })
    )

    it.scoped("tells what was done by whom, stops what is under way and lets it go on, and drains a worker", () =>
      Effect.gen(function* () {
        const { errors, page } = yield* at("/executions?status=completed")
        yield* Effect.promise(async () => {
          await button(page, "Delete all").click()
          const dialog = page.getByRole("dialog")
          await dialog.getByLabel("At most so many a second").fill("0.2")
          await dialog.getByRole("button", { name: /^Delete [\d,]+ executions$/ }).click()
          await page.getByRole("link", { name: "Operations" }).click()
          const row = page.getByRole("row", { name: /delete: / }).first()
          await row.getByText("running").waitFor()
          await row.getByRole("button", { name: /^Stop/ }).click()
          await row.getByText("stopped").waitFor()
          await row.getByRole("button", { name: /^Continue/ }).click()
          await row.getByText("running").waitFor()
          await row.getByRole("button", { name: /^Stop/ }).click()
          await row.getByText("stopped").waitFor()
          await page.getByText("put back").first().waitFor()
        })
        yield* accessible(page, "operations")
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: "Workers" }).click()
          await page.getByRole("button", { name: /^Drain/ }).waitFor()
        })
        yield* accessible(page, "workers")
        yield* Effect.promise(async () => {
          await press(page, /^Drain/, "Drain")
          await page.getByText("It takes no more work within 15 seconds.").waitFor()
        })
        assert.deepStrictEqual(errors, [])
      })
    )
  })
})
