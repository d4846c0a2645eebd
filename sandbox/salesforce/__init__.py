"""A Salesforce org on loopback: REST, Pub/Sub gRPC, its rows, events and automation."""
