/** `contentflow-worker/testing/emulators`: Azure Storage and Cosmos DB in the test's process; they need the packages azurite and @vercel/cosmosdb-server. */

/** Installations of the worker on both emulators, and what tests do with them. */
export * as Emulators from "../testing/Emulators.ts"
export * as Azurite from "../testing/Azurite.ts"
/** Gives any answer on demand. */
export * as CosmosServer from "../testing/CosmosServer.ts"
