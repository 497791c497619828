import type { Jobs } from "./Jobs.ts"

type Runners = { readonly [Name in keyof Jobs]: (input: Jobs[Name]["input"]) => Promise<Jobs[Name]["output"]> }

/** Does a job on the calling thread; rejects with `DocumentError`. A reader is loaded when it is first needed. */
export const runJob = <Name extends keyof Jobs>(
  name: Name,
  input: Jobs[Name]["input"]
): Promise<Jobs[Name]["output"]> => runners[name](input)

export const isJobName = (name: string): name is keyof Jobs => Object.hasOwn(runners, name)

let pdfReader: Promise<Runners["pdf"]> | undefined

const loadPdfReader = async (): Promise<Runners["pdf"]> => {
  const { makePdfEngine } = await import("../documents/pdf/PdfEngine.ts")
  const { defaultLimits } = await import("../documents/pdf/PdfDocument.ts")
  const engine = makePdfEngine()
  return ({ bytes, options, limits }) => engine.read(new Uint8Array(bytes), options, limits ?? defaultLimits)
}

const runners: Runners = {
  pdf: async (input) => (await (pdfReader ??= loadPdfReader()))(input)
}
