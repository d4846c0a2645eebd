"""The REST API: logins, resources, composite calls, limits."""
