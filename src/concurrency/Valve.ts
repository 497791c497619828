/** What a valve lets a call do: go, go as the one that shows whether the service is back, or not go. */
export type Passage = "open" | "probe" | "closed"

export interface Failure {
  /** Who called: a document, a task. */
  readonly caller: string
  /** The service serves no caller at all. A refusal may be the caller's own: only several callers together make it an outage. */
  readonly certain: boolean
  readonly reason: string
  /** Milliseconds that the service asked to wait. */
  readonly retryAfterMillis: number
}

export interface Closed {
  readonly reason: string
  /** When the first of the failures was: monotonic milliseconds. */
  readonly since: number
  /** When the next probe may go: monotonic milliseconds. */
  readonly probeAt: number
}

/**
 * Stands before a service that many call. Failures in a row, with no success between, close it; then one call at a time goes through as a
 * probe, after growing pauses, and the first success opens it. Times are monotonic milliseconds.
 */
export interface Valve {
  /** The result of a probe must be reported. */
  readonly ask: (now: number) => Passage
  /** Gives whether it opened by this. */
  readonly succeeded: (now: number) => boolean
  /** `fraction` (0 to 1) spreads the probes of many processes. Gives whether it closed by this. */
  readonly failed: (failure: Failure, passage: Passage, now: number, fraction: number) => boolean
  /** The probe was called off and says nothing. */
  readonly abandoned: () => void
  readonly closed: () => Closed | null
  /** Milliseconds until it makes sense to ask again: 0 while it is open, or a probe is due. */
  readonly waitFor: (now: number) => number
  /** The first of the failures since the last success; null when the last call succeeded. */
  readonly failingSince: () => number | null
  /** Whether the service ever worked: one that never did is more likely named wrongly than out. */
  readonly hasServed: () => boolean
  /** Whether the service worked for others after an earlier failure of this caller. */
  readonly servedOthersSince: (caller: string) => boolean
}

export interface ValveOptions {
  /** Failures in a row that close it. */
  readonly closesAfter: number
  /** Milliseconds before the first probe; doubled after each that fails. */
  readonly firstPause: number
  readonly longestPause: number
}

/** Callers whose last failure is remembered; the one that failed longest ago goes first. */
const mostCallers = 1_000

export const make = ({ closesAfter, firstPause, longestPause }: ValveOptions): Valve => {
  let certain = 0
  const refused = new Set<string>()
  let failingSince: number | null = null
  let closed: Closed | null = null
  let probing = false
  let pause = firstPause
  let lastSuccess = Number.NEGATIVE_INFINITY
  const lastFailures = new Map<string, number>()

  const note = (caller: string, now: number) => {
    lastFailures.delete(caller)
    lastFailures.set(caller, now)
    const oldest = lastFailures.size > mostCallers ? lastFailures.keys().next() : undefined
    if (oldest !== undefined && oldest.done !== true) lastFailures.delete(oldest.value)
  }

  return {
    ask: (now) => {
      if (closed === null) return "open"
      if (probing || now < closed.probeAt) return "closed"
      probing = true
      return "probe"
    },
    succeeded: (now) => {
      lastSuccess = now
      probing = false
      if (failingSince === null) return false
      const opened = closed !== null
      certain = 0
      refused.clear()
      failingSince = null
      closed = null
      pause = firstPause
      return opened
    },
    failed: (failure, passage, now, fraction) => {
      note(failure.caller, now)
      if (passage === "probe") probing = false
      const since = (failingSince ??= now)
      if (failure.certain) certain++
      else if (refused.size < closesAfter) refused.add(failure.caller)
      // What was under way when it closed says nothing new.
      if (closed !== null && passage !== "probe") return false
      if (closed === null && certain + refused.size < closesAfter) return false
      const closes = closed === null
      const wait = Math.max(pause * (0.5 + fraction / 2), Math.min(failure.retryAfterMillis, longestPause))
      closed = { reason: failure.reason, since, probeAt: now + wait }
      pause = Math.min(longestPause, pause * 2)
      return closes
    },
    abandoned: () => {
      probing = false
    },
    closed: () => closed,
    waitFor: (now) => (closed === null ? 0 : probing ? firstPause : Math.max(0, closed.probeAt - now)),
    failingSince: () => failingSince,
    hasServed: () => lastSuccess !== Number.NEGATIVE_INFINITY,
    servedOthersSince: (caller) => lastSuccess > (lastFailures.get(caller) ?? Number.POSITIVE_INFINITY)
  }
}
