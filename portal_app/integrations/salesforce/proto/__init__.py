"""Generated stubs of the Salesforce Pub/Sub API; made from proto/pubsub_api.proto, never edited by hand."""
