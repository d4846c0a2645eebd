#!/bin/sh
# Creates the three roles of the portal's processes and sets their passwords; the migration grants their rights. Safe to
# repeat: an existing role only gets the password.
#
# Run it as a superuser of PostgreSQL or a role with CREATEROLE; the owner, who migrates, needs neither. The owner role
# and its database must exist. Create them once as an administrator:
#
#   create role portal login password '...';  create database portal owner portal;
#
#   POSTGRES_USER=postgres POSTGRES_DB=portal DATABASE_IDENTITY_PASSWORD=... DATABASE_WEB_PASSWORD=... \
#       DATABASE_WORKER_PASSWORD=... deploy/create_roles.sh      # PGHOST, PGPORT, PGPASSWORD as psql takes them
#
# In compose the PostgreSQL image runs this script when it creates the database; there POSTGRES_USER is a superuser.
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v identity="$DATABASE_IDENTITY_PASSWORD" -v web="$DATABASE_WEB_PASSWORD" -v worker="$DATABASE_WORKER_PASSWORD" <<'SQL'
select format('create role %I login', name)
  from unnest(array['portal_identity', 'portal_web', 'portal_worker']) as name
 where not exists (select from pg_roles where rolname = name) \gexec
alter role portal_identity login password :'identity';
alter role portal_web login password :'web';
alter role portal_worker login password :'worker';
SQL
