"""What all routes share: middleware, request parsing, responses, sessions, public pages."""
