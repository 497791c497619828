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
/** Milliseconds of a window, and after how many without a new one the limit is taken for one that refills steadily. */
const windowMillis = 60_000
const forgetful = 200_000
/** The part of a window that is left alone: what is under way while a process hears of its level. */
const reserve = 0.05
/** How much of what is wrong with its share a process mends in a window, and what it adds so that unequal shares become equal. */
const mending = 1.5
const evening = 0.02
/** No service that refills steadily asks for so long a wait after one call. */
const longWait = 5_000

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
  /** A refusal said that a window begins then; 0 for none. */
  private hintedAt = 0
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
    return Math.max(now, this.blockedUntil, this.spreadUntil(now))
  }

  private spreadUntil(now: number): number {
    const spread = this.startedAt + (this.cost / this.rate) * 1_000
    if (this.share === 0) return spread
    const next = this.windowAt + windowMillis
    if (spread <= next || this.startedAt >= next) return spread
    // What is missing then is made up at the pace with which the next window begins.
    const missing = Math.max(0, this.cost - (this.rate * (next - this.startedAt)) / 1_000)
    const fresh = Math.min(this.fixed, this.share * this.full)
    return Math.max(now < next ? next : 0, next + (missing / fresh) * 1_000)
  }

  /** Units a second of the whole limit. */
  private get full(): number {
    return this.limit / 60
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
    } else if (this.hasTurned(now, left, seconds)) {
      this.turn(now)
    } else if (this.share > 0 && now - this.windowAt > forgetful) {
      this.share = 0
    }
    this.limit = level.limit
    // Answers overtake each other: one of the old window may come after one of the new.
    if (this.share > 0 && left < this.left - 0.25 && now - this.windowAt < 5_000) return
    this.left = left
    this.lastAt = now
    if (this.share > 0) return this.shareOut(now, left, seconds)
    const wanted = Math.min(2 * this.usual + full * spare, Math.max(full * least, full * gain * wish(left)))
    const step = 1 - Math.exp(-(Math.min(60, seconds) + 0.5) / smoothing)
    this.set(this.rate + (wanted - this.rate) * step)
    this.usual += (this.rate - this.usual) * (1 - Math.exp(-Math.min(60, seconds) / memory))
  }

  /** Whether a window began since the last answer: the level is higher than a steady refill can make it. */
  private hasTurned(now: number, left: number, seconds: number): boolean {
    if (this.hintedAt > 0 && now > this.hintedAt) return left > 0.5
    return left > this.left + 0.25 + seconds / 60 && (this.share === 0 || now - this.windowAt > windowMillis / 2)
  }

  /**
   * At a pace by which what is left lasts to the window's end. Whatever the shares add up to, the pace falls with the level, so that the limit is
   * hardly hit; how fast the level falls tells what they add up to, and so whether this share is too large.
   */
  private shareOut(now: number, left: number, seconds: number): void {
    const elapsed = Math.min(0.98, Math.max(0, (now - this.windowAt) / windowMillis))
    const usable = Math.max(0.001, (left - reserve) / (1 - reserve))
    if (elapsed > 0.1 && elapsed < 0.9) {
      const sum = Math.min(8, Math.max(1 / 8, Math.log(Math.min(0.999, usable)) / Math.log(1 - elapsed)))
      const part = Math.min(20, seconds) / 60
      this.share = Math.min(1.5, Math.max(least, this.share * sum ** (-mending * part) + evening * part))
    }
    this.set(this.share * this.full * Math.min(2, Math.max(0.02, usable / (1 - elapsed))))
  }

  /** Nothing starts until then. */
  block(until: number): void {
    this.blockedUntil = Math.max(this.blockedUntil, until)
  }

  /** A call was refused; the service asks for a wait of so long, if it says so. */
  refused(now: number, retryAfterMillis?: number): void {
    this.streak += 1
    if (!Number.isFinite(this.rate)) {
      if (this.recent.length === 0) return
      const units = this.recent.reduce((sum, [, cost]) => sum + cost, 0)
      this.rate = units / Math.max(1, (now - (this.recent[0]?.[0] ?? now)) / 1_000)
    }
    this.left = 0
    this.lastAt = now
    if (retryAfterMillis !== undefined && retryAfterMillis >= longWait && retryAfterMillis <= windowMillis + 1_000) {
      this.hintedAt = now + retryAfterMillis
    }
    if (this.share > 0) {
      this.share *= 0.9
      this.set(this.share * this.full)
      return
    }
    // Not below one call a minute: what is never tried is never known to work again.
    this.set(Math.max(this.rate * backOff ** this.streak, this.full * least, this.cost / 60))
  }

  /** A window began. */
  private turn(now: number): void {
    if (this.share === 0) this.share = Math.min(1, Math.max(least, this.usual / this.full))
    const known = this.hintedAt > 0 ? this.hintedAt : this.windowAt
    // The nearest beginning that is known, not before what was heard last of the old window.
    const periods = known === 0 ? 0 : Math.max(0, Math.floor((now - known) / windowMillis))
    const expected = known + periods * windowMillis
    this.windowAt = known === 0 ? now : expected <= this.lastAt && this.hintedAt === 0 ? now : Math.min(now, expected)
    this.hintedAt = 0
  }

  private set(rate: number): void {
    this.rate = Math.min(this.fixed, rate)
  }
}
