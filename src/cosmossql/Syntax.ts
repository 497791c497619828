/** An expression of a query. A path of properties is a chain of `Member`s that begins at a `Name`. */
export type Expression =
  | { readonly _tag: "Literal"; readonly value: unknown }
  | { readonly _tag: "Parameter"; readonly name: string }
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "Member"; readonly of: Expression; readonly key: Expression }
  | { readonly _tag: "Unary"; readonly operator: "not" | "-" | "+" | "~"; readonly operand: Expression }
  | {
      readonly _tag: "Binary"
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly _tag: "Conditional"
      readonly test: Expression
      readonly whenTrue: Expression
      readonly otherwise: Expression
    }
  | { readonly _tag: "In"; readonly value: Expression; readonly list: ReadonlyArray<Expression> }
  | { readonly _tag: "Between"; readonly value: Expression; readonly low: Expression; readonly high: Expression }
  | {
      readonly _tag: "Like"
      readonly value: Expression
      readonly pattern: Expression
      readonly escape: Expression | undefined
    }
  | { readonly _tag: "Call"; readonly name: string; readonly args: ReadonlyArray<Expression> }
  | Aggregate
  | { readonly _tag: "Array"; readonly items: ReadonlyArray<Expression> }
  | { readonly _tag: "Object"; readonly entries: ReadonlyArray<readonly [string, Expression]> }
  | { readonly _tag: "Subquery"; readonly kind: "scalar" | "exists" | "array"; readonly query: Select }

export interface Aggregate {
  readonly _tag: "Aggregate"
  readonly name: "COUNT" | "SUM" | "MIN" | "MAX" | "AVG"
  readonly of: Expression
}

export type BinaryOperator =
  | "or"
  | "and"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "||"
  | "??"
  | "&"
  | "|"
  | "^"
  | "<<"
  | ">>"
  | ">>>"

/** What `FROM` and each `JOIN` bind a name to: a value, or one after another the elements of an array. */
export interface Source {
  readonly alias: string
  readonly of: Expression
  readonly isEach: boolean
}

export type Projection =
  | { readonly _tag: "All" }
  | { readonly _tag: "Value"; readonly of: Expression }
  | { readonly _tag: "List"; readonly entries: ReadonlyArray<readonly [name: string, Expression]> }

export interface Select {
  readonly isDistinct: boolean
  readonly top: Expression | undefined
  readonly projection: Projection
  /** Empty: the query has no FROM, and one result. */
  readonly sources: ReadonlyArray<Source>
  readonly where: Expression | undefined
  readonly groupBy: ReadonlyArray<Expression>
  readonly orderBy: ReadonlyArray<{ readonly of: Expression; readonly isDescending: boolean }>
  readonly offset: Expression | undefined
  readonly limit: Expression | undefined
  /** Those outside of subqueries. */
  readonly aggregates: ReadonlyArray<Aggregate>
}
