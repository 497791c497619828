import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { messageOf } from "./Server.ts"

export interface Loaded<A> {
  readonly data: A | undefined
  readonly error: string | undefined
  /** Loads it again; what is shown stays until the answer is there. */
  readonly reload: () => void
}

/** What a view shows, loaded when it appears and when `key` changes. An answer that comes too late is dropped. */
export const useLoaded = <A>(key: string, load: () => Promise<A>): Loaded<A> => {
  const [state, setState] = useState<{ readonly key: string; readonly data?: A; readonly error?: string }>({ key })
  const latest = useRef(0)
  const reload = useCallback(() => {
    const turn = ++latest.current
    load().then(
      (data) => turn === latest.current && setState({ key, data }),
      (error: unknown) => turn === latest.current && setState((before) => ({ ...before, key, error: messageOf(error) }))
    )
  }, [key])
  useEffect(() => {
    reload()
    return () => void latest.current++
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
