import * as NearestName from "../text/NearestName.ts"
import * as CommandTree from "./CommandTree.ts"

/** What is wrong with the words of a command line, by their names alone: commands and options that do not exist, options without their value. */
export const find = ({ command, path, rest, unknown }: CommandTree.Located): string | undefined => {
  const called = path.map(({ name }) => name).join(" ")
  if (unknown !== null) {
    const names = command.children.map(({ name }) => name)
    const near = NearestName.find(unknown, names)
    return `There is no command ${unknown}.${near === undefined ? "" : ` Did you mean ${near}?`} ${called} has: ${names.join(", ")}.`
  }
  const options = [...CommandTree.shapeOf(command).options, ...CommandTree.builtIns]
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ""
    if (word === "--") return undefined
    if (!/^--?[A-Za-z]/.test(word)) continue
    const [name = "", given] = word.split(/=(.*)/s, 2)
    const option = options.find(({ names }) => names.includes(name))
    if (option === undefined) {
      const near = NearestName.find(
        name,
        options.flatMap(({ names }) => names).filter((each) => each.startsWith("--"))
      )
      return `${called} has no option ${name}.${near === undefined ? "" : ` Did you mean ${near}?`} See: ${called} --help`
    }
    if (option.value === null) continue
    const value = given ?? rest[++index]
    if (value === undefined || (given === undefined && options.some(({ names }) => names.includes(value)))) {
      return `${name} needs a value: ${name} ${placeholder(option.value)}`
    }
    const choices = option.value.split(" | ")
    if (choices.length > 1 && !choices.includes(value)) {
      const near = NearestName.find(value, choices)
      return `${name} takes one of ${choices.join(", ")}, and not ${value}.${near === undefined ? "" : ` Did you mean ${near}?`}`
    }
  }
  return undefined
}

const placeholder = (value: string): string => (value.includes(" | ") ? `(${value})` : value)
