import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { gunzipSync } from "node:zlib"
import { damaged, DocumentError, limitExceeded } from "../DocumentError.ts"

/** Tesseract in WebAssembly, with the languages that it was loaded for. */
export interface Tesseract {
  /** Recognizes a picture in a file's form. Throws `DocumentError`; after that the instance must not be used again. */
  readonly recognize: (file: Uint8Array, orientation: number) => Recognized
  readonly close: () => void
}

export interface Recognized {
  readonly text: string
  /** From 0 to 1. */
  readonly confidence: number
}

const program = "tesseract.js-core"
const dataOf = (language: string): string => `@tesseract.js-data/${language}`

/** Languages' names as their packages have them: they become part of a path. */
export const isLanguage = (text: string): boolean => /^[a-z]{3}(?:_[a-z]{3,4})?$/.test(text)

/** The packages that these languages need and that are not installed beside the worker. */
export const missingPackages = (languages: ReadonlyArray<string>): ReadonlyArray<string> =>
  [program, ...languages.map(dataOf)].filter((name) => folderOf(name) === undefined)

// By names that are put together, which no bundler follows: the packages are a part that may be absent.
const packages = createRequire(import.meta.url)

const folderOf = (name: string): string | undefined => {
  try {
    return dirname(packages.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

/** The smaller data first, which is as good. */
const versions = ["4.0.0_best_int", "4.0.0"]

const readLanguage = (language: string): Uint8Array => {
  const folder = folderOf(dataOf(language)) ?? ""
  const files = versions.map((version) => join(folder, version, `${language}.traineddata.gz`))
  const file = files.find((each) => existsSync(each))
  if (file === undefined) throw new TypeError(`${dataOf(language)} holds no data of Tesseract 4`)
  return gunzipSync(readFileSync(file))
}

/** The part of the program's interface that is used here; it brings no types along. */
interface Module {
  readonly FS: {
    readonly writeFile: (path: string, bytes: Uint8Array) => void
    readonly unlink: (path: string) => void
  }
  readonly TessBaseAPI: new () => Api
}

interface Api {
  /** Zero when it succeeded. */
  readonly Init: (folder: string, languages: string, mode: number) => number
  /** Reads the file `/input`; zero when it succeeded. */
  readonly SetImageFile: (orientation: number, angle: number) => number
  readonly Recognize: (monitor: null) => number
  readonly GetUTF8Text: () => string
  readonly MeanTextConf: () => number
  readonly Clear: () => void
  readonly End: () => void
}

type Load = (options: {
  readonly wasmBinary: Uint8Array
  readonly print: (line: string) => void
  readonly printErr: (line: string) => void
}) => Promise<Module>

// OEM_LSTM_ONLY of publictypes.h
const neuralOnly = 1

/** Loads the program and the data of its languages: half a second. They must be installed. */
export const load = async (languages: ReadonlyArray<string>): Promise<Tesseract> => {
  const folder = folderOf(program) ?? ""
  const start = packages(join(folder, "tesseract-core-simd-lstm.js")) as Load
  const wasmBinary = readFileSync(join(folder, "tesseract-core-simd-lstm.wasm"))
  let said = ""
  const module = await start({
    wasmBinary,
    print: () => undefined,
    printErr: (line) => {
      said = line
    }
  })
  for (const language of languages) module.FS.writeFile(`/${language}.traineddata`, readLanguage(language))
  const api = new module.TessBaseAPI()
  if (api.Init("/", languages.join("+"), neuralOnly) !== 0) {
    throw new TypeError(`Tesseract does not take its data for ${languages.join("+")} (${said})`)
  }
  return {
    recognize: (file, orientation) => {
      try {
        module.FS.writeFile("/input", file)
        if (api.SetImageFile(orientation, 0) !== 0) throw damaged("The picture is damaged: it can't be decoded")
        if (api.Recognize(null) !== 0) throw damaged("The picture can't be read: Tesseract gave up on it")
        const recognized = { text: api.GetUTF8Text(), confidence: Math.max(0, api.MeanTextConf()) / 100 }
        api.Clear()
        module.FS.unlink("/input")
        return recognized
      } catch (cause) {
        if (cause instanceof DocumentError) throw cause
        // What the program aborts with says nothing; it is memory that it lacks.
        throw limitExceeded("pixels", "The picture needs more memory than there is to read it")
      }
    },
    close: () => api.End()
  }
}
