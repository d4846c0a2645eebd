"""What the portal stands on: settings, database, cache, secrets, mail, logs and figures."""
