"""The event bus: platform events, change data capture, and the Pub/Sub API over gRPC."""
