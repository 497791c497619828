/** A text without the addresses of blobs in it: their paths alone, where accounts are folders of this machine or emulators and no address leads anywhere. */
export const withoutAddresses = (text: string): string =>
  text.replaceAll(/https:\/\/[a-z0-9]+\.blob\.core\.windows\.net\/[a-z0-9$-]+\//g, "")
