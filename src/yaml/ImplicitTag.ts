import { tagOf } from "./SyntaxTree.ts"

// PyYAML's lib/yaml/resolver.py, in its order. Its "$" also matches before a last line break.
const rules: ReadonlyArray<readonly [tag: string, pattern: RegExp]> = [
  ["bool", /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\n?$/],
  [
    "float",
    /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\n?$/
  ],
  [
    "int",
    /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\n?$/
  ],
  ["merge", /^<<\n?$/],
  ["null", /^(?:~\n?|(?:null|Null|NULL)\n?|)$/],
  [
    "timestamp",
    /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\n?$/
  ],
  ["value", /^=\n?$/],
  ["yaml", /^[!&*]\n?$/]
]

const tags = rules.map(([name, pattern]) => [tagOf(name), pattern] as const)

/** The tag that a plain scalar's text alone gives it; a text that means nothing else is a `!!str`. */
export const implicitTag = (text: string): string => tags.find(([, pattern]) => pattern.test(text))?.[0] ?? tagOf("str")
