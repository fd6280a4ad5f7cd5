#!/bin/sh
# Knows what docker-compose.airflow.yml uses of the official image: POSTGRES_USER, _PASSWORD, _DB and PGDATA.
set -eu
: "${POSTGRES_PASSWORD:?set it: the database is reached over the network}"
: "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=${POSTGRES_USER:-postgres}}"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password_file=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" > "$password_file"
  initdb -U "$POSTGRES_USER" --pwfile="$password_file" -E UTF8 --auth-local=trust --auth-host=scram-sha-256
  rm "$password_file"
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  # no TCP yet: nobody may take the unfinished server for a healthy one
  pg_ctl -w -D "$PGDATA" -o "-c listen_addresses=''" start
  [ "$POSTGRES_DB" = postgres ] || createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -w -m fast -D "$PGDATA" stop
fi

[ "$1" != postgres ] || set -- "$@" -c "listen_addresses=*"
exec "$@"
