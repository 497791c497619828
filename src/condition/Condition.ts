import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Evaluator from "./Evaluator.ts"
import type * as Expression from "./Expression.ts"
import * as Parser from "./Parser.ts"
import * as Printer from "./Printer.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"
import type * as Tokenizer from "./Tokenizer.ts"

/**
 * A condition of a node or an edge, read and checked: `data.type == 'invoice' and not (data.total is_empty)`. The
 * language is the original's (`secure_condition_evaluator.py`), with real quotes, parentheses, `not`, null and more.
 */
export interface Condition {
  /** As it was written. */
  readonly text: string
  readonly expression: Expression.Expression
  /** What is allowed, but may not be what the author meant. */
  readonly warnings: ReadonlyArray<Tokenizer.Warning>
}

/** The text is not a condition. `offset` counts UTF-16 units from 0; `message` says what was expected and how to write it. */
export class ConditionParseError extends Schema.TaggedError<ConditionParseError>()("ConditionParseError", {
  expression: Schema.String,
  offset: Schema.NonNegativeInt,
  message: Schema.String
}) {}

/** A comparison cannot be made for an item, because of the types of the two values. */
export class ConditionEvaluationError extends Schema.TaggedError<ConditionEvaluationError>()(
  "ConditionEvaluationError",
  {
    expression: Schema.String,
    /** `id.canonical_id` of the item, or null if it has none. */
    item: Schema.NullOr(Schema.String),
    path: Schema.String,
    operator: Schema.String,
    fieldType: Schema.String,
    literalType: Schema.String,
    advice: Schema.String
  }
) {
  override get message(): string {
    const item = this.item === null ? "an item without a canonical_id" : `item ${JSON.stringify(this.item)}`
    return `The condition ${excerpt(this.expression)} cannot be evaluated for ${item}: \`${this.path}\` is ${nouns(this.fieldType)} and \`${this.operator}\` compares it with ${nouns(this.literalType)}, but ${this.advice}`
  }
}

/** Reads a condition. Its size, nesting, comparisons and patterns are bounded (`condition/Limits.ts`). */
export const parse = (text: string): Either.Either<Condition, ConditionParseError> =>
  Either.try({
    try: (): Condition => ({ text, ...Parser.parse(text) }),
    catch: (cause) => {
      // Anything else is a defect of the parser, and none of the author's business.
      if (!(cause instanceof SyntaxProblem)) throw cause
      const { message, offset } = cause
      return new ConditionParseError({
        expression: text,
        offset,
        message: `${message} (at character ${offset + 1} of the condition ${excerpt(text)})`
      })
    }
  })

/**
 * Whether `item` meets the condition. The item is a plain object with the roots `id`, `summary_data`, `data` and
 * `executor_logs`; a path that leads nowhere gives null.
 */
export const evaluate = (
  condition: Condition,
  item: Readonly<Record<string, unknown>>
): Either.Either<boolean, ConditionEvaluationError> =>
  Either.try({
    try: () => Evaluator.evaluate(condition.expression, item),
    catch: (cause) => {
      if (!(cause instanceof Evaluator.EvaluationProblem)) throw cause
      const { advice, fieldType, literalType, operator, path } = cause
      return new ConditionEvaluationError({
        expression: condition.text,
        item: canonicalId(item),
        path,
        operator,
        fieldType,
        literalType,
        advice
      })
    }
  })

/** The condition with parentheses around every group: it says how a chain of `and` and `or` is read. */
export const print = (condition: Condition): string => Printer.print(condition.expression)

const canonicalId = (item: Readonly<Record<string, unknown>>): string | null => {
  const id = item["id"]
  if (typeof id !== "object" || id === null || !("canonical_id" in id)) return null
  return typeof id.canonical_id === "string" ? id.canonical_id : null
}

const nouns = (type: string): string => (type === "null" ? "null" : type === "object" ? "an object" : `a ${type}`)
