"""Routes for operators and vendors: health and webhooks."""
