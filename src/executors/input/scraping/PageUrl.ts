import * as Either from "effect/Either"
import * as CutText from "../../../text/CutText.ts"
import { isHttp } from "../../../web/HttpFetch.ts"

/** Longer addresses are what traps for crawlers are made of. */
const longest = 2048

/** An address as it is fetched: absolute, http or https, in its one spelling (RFC 3986 6.2.2, as browsers do it), without its fragment. */
export const parse = (text: string, base?: string): Either.Either<URL, string> => {
  const shown = JSON.stringify(CutText.cut(text, 200))
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined
  if (url === undefined) return Either.left(`${shown} is no web address; it must begin with https:// or http://`)
  if (!isHttp(url)) return Either.left(`${shown} is no web address: only https:// and http:// are fetched`)
  if (url.href.length > longest) return Either.left(`${shown}… is longer than ${longest} characters`)
  if (url.username !== "" || url.password !== "") {
    return Either.left(`The address of ${url.host} carries a user name or a password, which is not sent`)
  }
  url.hash = ""
  return Either.right(url)
}

/** Two addresses with the same key are one page: a slash at the end makes no difference. */
export const keyOf = (url: URL): string => `${url.origin}${url.pathname.replace(/\/+$/, "")}${url.search}`

/** Two addresses with the same site belong together: http or https, with `www.` or without. */
export const siteOf = (url: URL): string => url.host.replace(/^www\./, "")
