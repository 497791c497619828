export * from "../../src/testing/AzureSettings.ts"
