#!/bin/sh
# The roles of docs/adr/0003: made once, when the database is new. Rights on tables are granted by migrations.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$SEATLINE_PASSWORD" --username postgres --dbname seatline <<'SQL'
CREATE ROLE seatline_migrator LOGIN BYPASSRLS PASSWORD :'password';
CREATE ROLE seatline_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE ROLE seatline_relay LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE ROLE seatline_monitor LOGIN BYPASSRLS PASSWORD :'password';
-- Limits of the role and not of a session, so that they hold behind PgBouncer too.
ALTER ROLE seatline_app SET statement_timeout = '20s';
ALTER ROLE seatline_app SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE seatline_relay SET statement_timeout = '20s';
ALTER ROLE seatline_relay SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE seatline_monitor SET default_transaction_read_only = on;
ALTER DATABASE seatline OWNER TO seatline_migrator;
ALTER SCHEMA public OWNER TO seatline_migrator;
GRANT USAGE ON SCHEMA public TO seatline_app, seatline_relay, seatline_monitor;
SQL
