/** The demo's own pipelines, without addresses and keys: where the documents, models and indexes are is filled in when they run. */

/** Takes the text out of documents of any kind, and cuts it into chunks. */
export const extraction = (fileNameTemplate: string): string => `
pipeline:
  name: Demo
  executors:
    - id: discover
      type: azure_blob_input_discovery
    - id: fetch
      type: azure_blob_content_retriever
    - id: extract
      type: document_extractor
    - id: chunk
      type: recursive_text_chunker
      settings:
        input_field: document_output.text
    - id: write
      type: azure_blob_output
      settings:
        path_template: extracted/
        filename_template: ${JSON.stringify(fileNameTemplate)}
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: extract}
    - {from: extract, to: chunk}
    - {from: chunk, to: write}
`

/** Makes documents searchable by meaning: their chunks go into an index, each with its vector. */
export const rag = `
pipeline:
  name: Demo of retrieval
  executors:
    - id: discover
      type: azure_blob_input_discovery
    - id: fetch
      type: azure_blob_content_retriever
    - id: extract
      type: document_extractor
    - id: chunk
      type: recursive_text_chunker
      settings:
        input_field: document_output.text
        chunk_size: 160
        chunk_overlap: 40
        min_chunk_size: 1
    - id: embed
      type: azure_openai_embeddings
      settings:
        deployment_name: text-embedding-3-small
        input_field: chunks[].text
        output_field: chunks[].embedding
    - id: index
      type: ai_search_index_output
      settings:
        ai_search_index: documents
        content_to_index_mappings:
          id.unique_id: id
          id.path: path
          chunk.page_number: page
          chunk.text: content
          chunk.embedding: vector
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: extract}
    - {from: extract, to: chunk}
    - {from: chunk, to: embed}
    - {from: embed, to: index}
`
