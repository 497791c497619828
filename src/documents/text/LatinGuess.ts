/**
 * The encoding of a Latin text that may be read as windows-1252 but has no words then: signs within words are letters of Central Europe, and
 * the letters of one language beside those of another that never has them are other letters. `text` is the text read as windows-1252.
 */
export const guessLatin = (text: string): "windows-1250" | "windows-1252" | "windows-1254" => {
  if (polish.test(text)) return "windows-1250"
  const isHungarian = /[õûÕÛ]/.test(text) && /[öüéáÖÜÉÁ]/.test(text) && !/[ãäçêàâèùîôëåæøñ]/i.test(text)
  const isCzech = /[øØ]/.test(text) && /[ìùíýšžÌÙÍÝŠŽ]/.test(text) && !/[æåöü]/i.test(text)
  if (isHungarian || isCzech) return "windows-1250"
  // Icelandic, Czech and Slovak texts have these vowels; a thorn begins Icelandic words
  const isTurkish = !/[áéíóúæ]/i.test(text) && (/\p{Ll}þ/u.test(text) || (/[ðýþ]/i.test(text) && /[çü]/i.test(text)))
  return isTurkish ? "windows-1254" : "windows-1252"
}

/** Superscripts stand behind units and the Spanish mark before words; a letter on both sides makes them ł, ą, ż, Ł, Ą or Ż. */
const polish = /\p{Ll}[¹³¿]+\p{Ll}|\p{Lu}[£¥¯]+\p{Lu}/u
