/** Whether there is hardly a character in it that no text has. */
export const looksLikeText = (sample: string): boolean => {
  let odd = 0
  for (let index = 0; index < sample.length; index++) {
    const unit = sample.charCodeAt(index)
    // tab, line ends, form feed, and the escape of Japanese encodings and terminals
    if ((unit < 32 && !(unit >= 9 && unit <= 13) && unit !== 27) || unit === 0x7f || unit === 0xfffd) odd++
  }
  return odd * 50 <= sample.length
}
