import * as LongestText from "../text/LongestText.ts"

/** For people: what an executor's defect did to `what`, an item or several. */
export const message = (executorId: string, what: string, defect: unknown): string =>
  LongestText.isExceeded(defect)
    ? `${executorId} failed on ${what}: it makes a text longer than ${LongestText.bound}`
    : `${executorId} failed unexpectedly on ${what}: ${defect instanceof Error ? defect.message : String(defect)}`
