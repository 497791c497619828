export * from "../../src/testing/CosmosServer.ts"
