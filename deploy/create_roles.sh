#!/bin/sh
# Runs once, when the database is created: the three lesser roles get passwords; the migration gives them rights.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v identity="$DATABASE_IDENTITY_PASSWORD" -v web="$DATABASE_WEB_PASSWORD" -v worker="$DATABASE_WORKER_PASSWORD" <<'SQL'
create role portal_identity login password :'identity';
create role portal_web login password :'web';
create role portal_worker login password :'worker';
SQL
