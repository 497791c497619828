/** A query can't be read or run; the message says where and why. */
export class QueryProblem extends Error {
  override readonly name = "QueryProblem"
}
