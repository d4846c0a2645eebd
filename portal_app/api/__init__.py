"""The HTTP edge: sessions, headers, public pages, resources, webhooks, health."""
