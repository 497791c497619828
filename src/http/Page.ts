import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { existsSync, readdirSync, readFileSync } from "node:fs"

/** The address of the page. */
export const path = "/ui"

type Files = ReadonlyMap<string, Uint8Array>

const read = (folder: URL): Files =>
  new Map([
    ["index.html", readFileSync(new URL("index.html", folder))],
    ...readdirSync(new URL("assets/", folder)).map(
      (name) => [`assets/${name}`, readFileSync(new URL(`assets/${name}`, folder))] as const
    )
  ])

/** The page as the package and the images have it; in a checkout that runs its sources it is made on the spot. */
const load = Effect.promise(async (): Promise<Files> => {
  if (import.meta.url.endsWith(".ts")) {
    const builder = (await import(new URL("../ui/build.mjs", import.meta.url).href)) as {
      readonly bundle: () => { readonly files: Files }
    }
    return builder.bundle().files
  }
  // In a bundle the page lies beside this code, in the package a folder above.
  const folder = ["./ui/", "../ui/"]
    .map((place) => new URL(place, import.meta.url))
    .find((place) => existsSync(new URL("index.html", place)))
  return folder === undefined ? new Map() : read(folder)
})

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8"
}

/** Only our own script and style run; it talks to this server alone, and text of documents can't become a script (Trusted Types). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'"
].join("; ")

const answer = (files: Files, name: string) => {
  const contents = files.get(name)
  const type = types[name.slice(name.lastIndexOf(".") + 1)]
  if (contents === undefined || type === undefined) {
    return HttpServerResponse.unsafeJson({ detail: "Not Found" }, { status: 404 })
  }
  return HttpServerResponse.uint8Array(contents, {
    contentType: type,
    headers: {
      "content-security-policy": policy,
      // Assets are named by what is in them.
      "cache-control": name === "index.html" ? "no-cache" : "public, max-age=31536000, immutable"
    }
  })
}

/** Serves the page and its assets: what everybody may see, since the data comes from the API, which asks who wants it. */
export const layer: Layer.Layer<never> = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const files = yield* Effect.cached(load)
    yield* router.get(
      path,
      Effect.map(files, (known) => answer(known, "index.html"))
    )
    yield* router.get(
      `${path}/assets/:name`,
      Effect.flatMap(HttpRouter.params, ({ name = "" }) =>
        Effect.map(files, (known) => answer(known, `assets/${name}`))
      )
    )
  })
)
