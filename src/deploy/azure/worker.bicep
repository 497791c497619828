// The worker as a container app. Environment, registry, identity, storage and Cosmos DB are there already; the identity has the roles of src/azure/README.md.

@description('The name of the container app.')
param name string = 'worker'

param location string = resourceGroup().location

@description('The tag that azd looks for.')
param serviceName string = 'worker'

@description('Resource id of the Container Apps environment.')
param environmentId string

@description('The image, with its tag or digest.')
param image string

@description('The registry that the image comes from.')
param registryServer string

@description('Resource id of the user-assigned identity that pulls the image, reads and writes, and counts the queue.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('The storage account of the queue and of the contents that do not fit in a message.')
param storageAccountName string

param queueName string = 'contentflow-execution-requests'

@description('The address of the Cosmos DB account.')
param cosmosEndpoint string

param cosmosDatabase string = 'contentflow'

@description('Optional: the App Configuration store, whose keys contentflow.common.* and contentflow.worker.* come before the environment.')
param appConfigEndpoint string = ''

@description('Names of environment variables that definitions may read as \${NAME}, separated by commas. Look for \${ in the stored pipelines.')
param pipelineEnvAllowlist string = ''

@description('Those variables and others of your own.')
param moreEnvironment array = []

@minValue(1)
@maxValue(1000)
param processingWorkers int = 4

@minValue(1)
param maxReplicas int = 10

var environment = [
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'STORAGE_ACCOUNT_WORKER_QUEUE_URL', value: 'https://${storageAccountName}.queue.${az.environment().suffixes.storage}/' }
  { name: 'STORAGE_WORKER_QUEUE_NAME', value: queueName }
  { name: 'BLOB_STORAGE_ACCOUNT_NAME', value: storageAccountName }
  { name: 'COSMOS_DB_ENDPOINT', value: cosmosEndpoint }
  { name: 'COSMOS_DB_NAME', value: cosmosDatabase }
  { name: 'AZURE_APP_CONFIG_ENDPOINT', value: appConfigEndpoint }
  { name: 'PIPELINE_ENV_ALLOWLIST', value: pipelineEnvAllowlist }
  { name: 'NUM_PROCESSING_WORKERS', value: string(processingWorkers) }
  { name: 'NUM_SOURCE_WORKERS', value: '2' }
]

resource worker 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: { 'azd-service-name': serviceName }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    managedEnvironmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      // Health and metrics are for the platform and its operators, not for the internet. METRICS_PORT gives metrics a port that the ingress does not reach.
      ingress: { external: false, targetPort: 8099, transport: 'http' }
      registries: [{ server: registryServer, identity: identityId }]
    }
    template: {
      // SHUTDOWN_GRACE_SECONDS is 25.
      terminationGracePeriodSeconds: 45
      containers: [
        {
          name: 'worker'
          image: image
          env: concat(environment, moreEnvironment)
          resources: { cpu: json('1.0'), memory: '2Gi' }
          probes: [
            { type: 'Startup', httpGet: { path: '/health/live', port: 8099 }, periodSeconds: 5, failureThreshold: 24 }
            { type: 'Liveness', httpGet: { path: '/health/live', port: 8099 }, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 3 }
            { type: 'Readiness', httpGet: { path: '/health/ready', port: 8099 }, periodSeconds: 10, timeoutSeconds: 5 }
          ]
        }
      ]
      scale: {
        // One stays for the crawls.
        minReplicas: 1
        maxReplicas: maxReplicas
        rules: [
          {
            name: 'tasks'
            custom: {
              type: 'azure-queue'
              identity: identityId
              metadata: {
                accountName: storageAccountName
                queueName: queueName
                queueLength: string(4 * processingWorkers)
              }
            }
          }
        ]
      }
    }
  }
}

output id string = worker.id
