#!/usr/bin/env bash
# Run once by the postgres image, as the superuser, when the volume is empty: the two login roles.
# The same statements as the embedded run's, with passwords.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$(</run/secrets/owner_password)" \
    --set app_password="$(</run/secrets/app_password)" <<'SQL'
CREATE ROLE citizen_cloud_owner LOGIN NOSUPERUSER CREATEROLE NOCREATEDB NOBYPASSRLS
    PASSWORD :'owner_password';
CREATE ROLE citizen_cloud_app LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB NOBYPASSRLS
    PASSWORD :'app_password';
GRANT citizen_cloud_app TO citizen_cloud_owner WITH ADMIN TRUE, SET TRUE;
ALTER DATABASE citizen_cloud OWNER TO citizen_cloud_owner;
REVOKE ALL ON DATABASE citizen_cloud FROM PUBLIC;
GRANT CONNECT ON DATABASE citizen_cloud TO citizen_cloud_app;
SQL
