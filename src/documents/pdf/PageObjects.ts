import type { Pdfium } from "./Pdfium.ts"

/** What a page draws: PDFium's numbers for the kinds that are looked at. */
export const ObjectType = { text: 1, path: 2, image: 3, form: 5 } as const

/** `[a, b, c, d, e, f]` of PDF: x' = ax + cy + e, y' = bx + dy + f. */
export type Matrix = readonly [number, number, number, number, number, number]

/** How many objects may still be looked at in this document. */
export interface ObjectBudget {
  left: number
}

/**
 * Visits the drawn objects of a page in order, those inside its forms behind these; `matrix` leads from the object's parent to the
 * page. Ends early, with false, when the budget is used up.
 */
export const visitObjects = (
  pdfium: Pdfium,
  page: number,
  budget: ObjectBudget,
  visit: (object: number, type: number, matrix: Matrix) => void
): boolean => {
  const { call } = pdfium
  const inForm = (form: number, matrix: Matrix, depth: number): boolean => {
    const count = call.FPDFFormObj_CountObjects(form)
    for (let index = 0; index < count; index++) {
      if (!one(call.FPDFFormObj_GetObject(form, index), matrix, depth)) return false
    }
    return true
  }
  const one = (object: number, matrix: Matrix, depth: number): boolean => {
    if (budget.left-- <= 0) return false
    const type = call.FPDFPageObj_GetType(object)
    visit(object, type, matrix)
    if (type !== ObjectType.form) return true
    return depth >= maxFormDepth || inForm(object, multiply(matrixOf(pdfium, object), matrix), depth + 1)
  }
  const count = call.FPDFPage_CountObjects(page)
  for (let index = 0; index < count; index++) {
    if (!one(call.FPDFPage_GetObject(page, index), identity, 0)) return false
  }
  return true
}

/** The matrix of the object itself: from its own space to its parent's. */
export const matrixOf = (pdfium: Pdfium, object: number): Matrix => {
  if (pdfium.call.FPDFPageObj_GetMatrix(object, pdfium.scratch) !== 1) return identity
  const floats = pdfium.floats()
  const at = pdfium.scratch >> 2
  return [
    floats[at] ?? 1,
    floats[at + 1] ?? 0,
    floats[at + 2] ?? 0,
    floats[at + 3] ?? 1,
    floats[at + 4] ?? 0,
    floats[at + 5] ?? 0
  ]
}

/** First `inner`, then `outer`. */
export const multiply = (inner: Matrix, outer: Matrix): Matrix => [
  inner[0] * outer[0] + inner[1] * outer[2],
  inner[0] * outer[1] + inner[1] * outer[3],
  inner[2] * outer[0] + inner[3] * outer[2],
  inner[2] * outer[1] + inner[3] * outer[3],
  inner[4] * outer[0] + inner[5] * outer[2] + outer[4],
  inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
]

const identity: Matrix = [1, 0, 0, 1, 0, 0]
const maxFormDepth = 16
