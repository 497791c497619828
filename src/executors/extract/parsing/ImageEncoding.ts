import * as Settings from "../../../executor/Settings.ts"

/** How the data of images is given. */
export const outputMode = Settings.choice(["base64", "bytes"], {
  description: "How an image's data is given: as text or as bytes.",
  default: "base64"
})

/** The image as the output lists it: its data in the mode asked for, and which one that is. */
export const encoded = <Image extends { readonly data: Uint8Array }>(mode: "base64" | "bytes", image: Image) => ({
  ...image,
  data:
    mode === "bytes"
      ? image.data
      : Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength).toString("base64"),
  encoding: mode
})
