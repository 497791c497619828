import type * as FieldPath from "./FieldPath.ts"
import type * as Literal from "./Literal.ts"
import type * as Pattern from "./Pattern.ts"

/** What a condition says. `And` and `Or` have two operands or more. */
export type Expression = And | Or | Not | Emptiness | Comparison | Match

export interface And {
  readonly _tag: "And"
  readonly operands: ReadonlyArray<Expression>
}

export interface Or {
  readonly _tag: "Or"
  readonly operands: ReadonlyArray<Expression>
}

export interface Not {
  readonly _tag: "Not"
  readonly operand: Expression
}

/** `path is_empty` and `path is_not_empty`. */
export interface Emptiness {
  readonly _tag: "Emptiness"
  readonly path: FieldPath.FieldPath
  readonly operator: EmptinessOperator
}

/** `path operator literal`. */
export interface Comparison {
  readonly _tag: "Comparison"
  readonly path: FieldPath.FieldPath
  readonly operator: ComparisonOperator
  readonly literal: Literal.Literal
}

/** `path regex_match pattern`: the pattern is compiled when the condition is parsed. */
export interface Match {
  readonly _tag: "Match"
  readonly path: FieldPath.FieldPath
  readonly pattern: Pattern.Pattern
}

export type EmptinessOperator = (typeof emptinessOperators)[number]
export type ComparisonOperator = (typeof comparisonOperators)[number]
export type Operator = ComparisonOperator | "regex_match"

export const emptinessOperators = ["is_empty", "is_not_empty"] as const

export const comparisonOperators = [
  "==",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "contains",
  "not_contains",
  "in",
  "not_in",
  "starts_with",
  "ends_with"
] as const
