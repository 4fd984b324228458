#!/bin/sh
# Restores a dump into DATABASE_URL, an empty database: all of it or nothing.
# Usage: restore.sh FILE
set -eu
pg_restore --exit-on-error --single-transaction --no-owner --dbname="$DATABASE_URL" "$1"
