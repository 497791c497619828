import type { StepProgress } from "../executor/Executor.ts"
import type { OperationAddress } from "../services/ServiceClients.ts"

/** Where a step's running analysis is looked at: an attempt that resumes the step goes on with it instead of paying for another. */
export const address = (progress: StepProgress): OperationAddress => {
  const noted = progress.noted()
  return {
    url: typeof noted === "string" ? noted : undefined,
    moved: (url) => progress.note(url ?? null)
  }
}
