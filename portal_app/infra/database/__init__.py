"""PostgreSQL: connections, migrations, durable work and the clock all processes share."""
