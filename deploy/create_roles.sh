#!/bin/sh
# Creates the three lesser roles of the portal and sets their passwords; the migration gives them their rights. Safe to
# repeat: a role that is there only gets the password.
#
# Who runs it: a superuser of PostgreSQL, or a role with CREATEROLE; the owner that migrates needs neither. What must
# exist before: the owner role and its database. Once, as an administrator:
#
#   create role portal login password '...';  create database portal owner portal;
#
#   POSTGRES_USER=postgres POSTGRES_DB=portal DATABASE_IDENTITY_PASSWORD=... DATABASE_WEB_PASSWORD=... \
#       DATABASE_WORKER_PASSWORD=... deploy/create_roles.sh      # PGHOST, PGPORT, PGPASSWORD as psql takes them
#
# In compose the image of PostgreSQL runs it when it creates the database: there POSTGRES_USER is a superuser.
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
