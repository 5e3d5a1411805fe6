#!/bin/sh
# Makes the random secrets of this installation, once: what is there is never changed.
# The app's folder gets files named like its settings; the database's only its own password.
set -eu
umask 077
app=${1:-/run/secrets}
database=${2:-/run/db-secrets}

random() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # FILE VALUE: written whole or not at all
    [ ! -s "$1" ] || return 0
    printf %s "$2" >"$1.new"
    mv "$1.new" "$1"
}

keep "$database/postgres_password" "$(random)"
keep "$app/database_url" "postgresql+asyncpg://parley:$(cat "$database/postgres_password")@db:5432/parley"
keep "$app/secret_key" "$(random)"
keep "$app/admin_api_key" "$(random)"
