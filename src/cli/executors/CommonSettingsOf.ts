import * as Rec from "effect/Record"
import type { Described } from "../../executor/CatalogExample.ts"
import type { SettingInfo } from "../../executor/Settings.ts"
import * as CommonSettings from "../../pipeline/CommonSettings.ts"

/** The settings that the worker adds to a type; one that the type has under the same name is left to it. */
export const commonSettingsOf = (executor: Described): Readonly<Record<string, SettingInfo>> =>
  Rec.filter(CommonSettings.infos(executor), (_, name) => !Object.hasOwn(executor.settings, name))

/** What they are where a type has none of them itself. */
export const everywhere = (failOnError: boolean): Readonly<Record<string, SettingInfo>> =>
  CommonSettings.infos({ failOnError })
