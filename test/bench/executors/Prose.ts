const words =
  "the of and a to in is it you that he was for on are with as his they be at one have this from or had by hot but some what there we can out other were all your when up use word how said each she which do their time if will way about many then them would write like so these her long make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down side been now find".split(
    " "
  )

/** A sentence of nine to sixteen words; the same number gives the same sentence. */
export const sentence = (number: number): string => {
  const count = 9 + (number % 8)
  const picked = Array.from({ length: count }, (_, index) => words[(number * 31 + index * index * 7) % words.length])
  return `${picked.join(" ")}.`
}

/** Paragraphs of five sentences, of at least so many characters together. */
export const text = (length: number): string => {
  const paragraphs: Array<string> = []
  for (let size = 0, number = 0; size < length; number += 5) {
    const paragraph = Array.from({ length: 5 }, (_, index) => sentence(number + index)).join(" ")
    paragraphs.push(paragraph)
    size += paragraph.length + 2
  }
  return paragraphs.join("\n\n")
}
