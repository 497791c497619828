import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { messageOf } from "./Server.ts"

export interface Loaded<A> {
  readonly data: A | undefined
  readonly error: string | undefined
  /** Loads it again; what is shown stays until the answer is there. */
  readonly reload: () => void
}

/** What a view shows, loaded when it appears and when `key` changes. An answer that was asked for before the one that is shown is dropped. */
export const useLoaded = <A>(key: string, load: () => Promise<A>): Loaded<A> => {
  const [state, setState] = useState<{ readonly key: string; readonly data?: A; readonly error?: string }>({ key })
  const asked = useRef(0)
  const shown = useRef(0)
  const reload = useCallback(() => {
    const turn = ++asked.current
    const isNewer = () => {
      if (turn <= shown.current) return false
      shown.current = turn
      return true
    }
    load().then(
      (data) => isNewer() && setState({ key, data }),
      (error: unknown) => isNewer() && setState((before) => ({ ...before, key, error: messageOf(error) }))
    )
  }, [key])
  useEffect(() => {
    reload()
    return () => void (shown.current = asked.current)
  }, [key])
  const current = state.key === key ? state : undefined
  return { data: current?.data, error: current?.error, reload }
}

/** Calls again and again while the view is shown, unless nobody looks at the page. */
export const useEvery = (millis: number, call: () => void): void => {
  const latest = useRef(call)
  latest.current = call
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current()
    }, millis)
    return () => clearInterval(timer)
  }, [millis])
}
