import { isNumber } from "./PythonNumber.ts"

/** Whether Python counts a value as true: none of null, false, zero, an empty text, list or mapping. */
export const isTrue = (value: unknown): boolean => {
  if (value === null || value === undefined || value === false || value === "") return false
  if (isNumber(value)) return Number(value) !== 0
  if (Array.isArray(value)) return value.length > 0
  if (ArrayBuffer.isView(value)) return value.byteLength > 0
  return typeof value !== "object" || value instanceof Date || Object.keys(value).length > 0
}
