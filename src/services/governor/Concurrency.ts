/** Calls at the same time to begin with, and at most. */
const first = 4
const most = 64
/** How much slower than usual answers may come before fewer calls run at the same time. */
const patience = 2.5

/**
 * How many calls run at the same time: one more for each round of answers while all places are in use, a third fewer after a failure of
 * the service, a tenth fewer when answers take much longer than usual.
 */
export class Concurrency {
  inUse = 0
  private limit = first
  private slow = 0
  private quick = 0

  hasRoom(): boolean {
    return this.inUse < Math.floor(this.limit)
  }

  start(): void {
    this.inUse += 1
  }

  end(how: "answered" | "throttled" | "failed" | "interrupted", millis: number): void {
    const busy = this.inUse >= Math.floor(this.limit) * 0.8
    this.inUse -= 1
    if (how === "failed") this.limit = Math.max(1, this.limit * 0.67)
    if (how !== "answered") return
    this.slow = this.slow === 0 ? millis : this.slow + (millis - this.slow) * 0.02
    this.quick = this.quick === 0 ? millis : this.quick + (millis - this.quick) * 0.2
    if (this.quick > this.slow * patience) {
      this.limit = Math.max(1, this.limit * 0.9)
      // The new pace becomes the usual one, so that this does not go on for ever.
      this.slow += (this.quick - this.slow) * 0.1
    } else if (busy) this.limit = Math.min(most, this.limit + 1 / this.limit)
  }

  /** Milliseconds that an answer usually takes; 0 before the first. */
  get usualMillis(): number {
    return this.slow
  }
}
