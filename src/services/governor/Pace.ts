/** What an answer says of one of its limits: `x-ratelimit-{limit,remaining}-{tokens,requests}`. */
export interface Level {
  /** Units a minute that the whole deployment may use, by all processes together. */
  readonly limit: number
  /** What is left of them now. */
  readonly remaining: number
}

/** The part of the limit that a process begins with, the least it goes down to, and what it may add to twice its usual rate. */
const first = 1 / 8
const least = 1 / 1024
const spare = 1 / 32
/** The part of the limit that a process takes while half of it is left. */
const gain = 0.1
/** Seconds in which the rate moves most of its way to what the last answer asks for, and the usual rate to the rate. */
const smoothing = 8
const memory = 30
/** After a refusal; several in a row count more. */
const backOff = 0.7
/** Without levels the rate grows by this part for each call that gets through, so that about one in a hundred is refused. */
const blindGrowth = 0.002
/** The part of a window that all processes together aim at; what each adds to its share so that unequal shares become equal. */
const aim = 0.94
const evening = 1 / 2000
/** Milliseconds of a window, and after how many without a new one the limit is taken for one that refills steadily. */
const windowMillis = 60_000
const forgetful = 150_000

/** What part of the limit a process wishes, by what is left, for a gain of 1. */
const wish = (left: number): number => (left / Math.max(1e-3, 1 - left)) ** 2

/**
 * One limit (tokens or requests) as one process keeps to it. Calls are spread evenly at a rate that follows from what the service says is
 * left for all processes together: much while much is left, little when little is. Processes that see the same level come to the same
 * rate, so they share a limit fairly without knowing each other. Where the level jumps back once a minute instead of refilling steadily,
 * what was left over before the jump says whether to take more or less. Where answers tell nothing, the rate grows until a call is refused.
 */
export class Pace {
  /** Units a second; infinite until a limit is known. */
  rate = Number.POSITIVE_INFINITY
  private fixed = Number.POSITIVE_INFINITY
  private limit = 0
  /** The part of each window that this process takes, where the limit is counted in windows; and when one began. */
  private share = 0
  private windowAt = 0
  private overused = false
  private usual = 0
  private left = 1
  private lastAt = 0
  /** The last start and its cost: from there the next one is reckoned, at whatever rate counts by then. */
  private startedAt = 0
  private cost = 0
  private blockedUntil = 0
  private streak = 0
  /** Units admitted lately, for the first guess where no answer names a limit. */
  private recent: Array<readonly [at: number, cost: number]> = []

  /** From now on no more than this a minute, whatever answers say. */
  fix(perMinute: number): void {
    if (this.fixed === perMinute / 60) return
    this.fixed = perMinute / 60
    this.rate = this.limit === 0 ? this.fixed : Math.min(this.rate, this.fixed)
  }

  /** Whether answers name this limit. */
  get isKnown(): boolean {
    return this.limit > 0
  }

  /** When a call may start that is ready now. */
  readyAt(now: number): number {
    const spread = this.startedAt + (this.cost / this.rate) * 1_000
    if (this.limit === 0) return Math.max(now, this.blockedUntil, spread)
    if (this.share > 0 && this.left < 0.03) {
      const next = this.windowAt + windowMillis
      if (now < next) return Math.max(this.blockedUntil, spread, next)
    }
    return Math.max(now, this.blockedUntil, spread)
  }

  /** A call of this cost starts. */
  take(now: number, cost: number): void {
    if (this.limit === 0) {
      this.recent.push([now, cost])
      if (this.recent.length > 256) this.recent.shift()
    }
    this.startedAt = now
    this.cost = cost
  }

  /** A call got through. */
  succeeded(now: number, level: Level | undefined): void {
    this.streak = 0
    if (level === undefined) {
      if (this.limit === 0) this.set(this.rate * (1 + blindGrowth))
      return
    }
    const full = level.limit / 60
    const left = Math.min(1, Math.max(0, level.remaining / level.limit))
    const seconds = Math.max(0, now - this.lastAt) / 1_000
    if (this.limit === 0) {
      this.recent = []
      this.usual = full * first
      this.rate = Math.min(this.rate, this.usual)
    } else if (left > this.left + 0.25 + seconds / 60 && now - this.windowAt > windowMillis / 2) {
      // More than a steady refill can give: a new window began.
      this.turn(now)
    } else if (this.share > 0 && now - this.windowAt > forgetful) {
      this.share = 0
    }
    this.limit = level.limit
    // Answers overtake each other: one of the old window may come after one of the new.
    if (this.share > 0 && left < this.left - 0.25 && now - this.windowAt < 5_000) return
    this.left = left
    this.lastAt = now
    const wanted =
      this.share > 0
        ? this.share * full
        : Math.min(2 * this.usual + full * spare, Math.max(full * least, full * gain * wish(left)))
    const step = this.share > 0 ? 1 : 1 - Math.exp(-(Math.min(60, seconds) + 0.5) / smoothing)
    this.set(this.rate + (wanted - this.rate) * step)
    this.usual += (this.rate - this.usual) * (1 - Math.exp(-Math.min(60, seconds) / memory))
  }

  /** Nothing starts until then. */
  block(until: number): void {
    this.blockedUntil = Math.max(this.blockedUntil, until)
  }

  /** A call was refused. */
  refused(now: number): void {
    this.streak += 1
    if (!Number.isFinite(this.rate)) {
      if (this.recent.length === 0) return
      const units = this.recent.reduce((sum, [, cost]) => sum + cost, 0)
      this.rate = units / Math.max(1, (now - (this.recent[0]?.[0] ?? now)) / 1_000)
    }
    // Not below one call a minute: what is never tried is never known to work again.
    this.set(Math.max(this.rate * backOff ** this.streak, (this.limit / 60) * least, this.cost / 60))
    this.left = 0
    this.overused = true
    if (this.share > 0) this.set(this.share * (this.limit / 60))
  }

  /** A window ended: by what was used of it, this process takes more or less of the next one. */
  private turn(now: number): void {
    const elapsed = this.windowAt === 0 ? 1 : Math.min(1, Math.max(0.2, (this.lastAt - this.windowAt) / windowMillis))
    const used = this.overused ? 1.1 : Math.max(0.05, (1 - this.left) / elapsed)
    const before = this.share > 0 ? this.share : this.usual / (this.limit / 60)
    const change = Math.min(2, Math.max(0.7, aim / used))
    this.share = Math.min(1.2, Math.max(least, before * change ** 0.7 + (this.share > 0 ? evening : 0)))
    this.overused = false
    const expected = this.windowAt + windowMillis
    this.windowAt = this.windowAt > 0 && expected < now && now - expected < 5_000 ? expected : now
  }

  private set(rate: number): void {
    this.rate = Math.min(this.fixed, rate)
  }
}
