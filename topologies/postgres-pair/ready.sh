#!/bin/sh
# Ready is who answers the user of the data source; the first call makes the database.
. "$(dirname "$0")/lib.sh"
sql "select 1" 2>/dev/null && exit
[ "$PGDATABASE" = postgres ] || PGDATABASE=postgres sql "create database \"$PGDATABASE\"" 2>/dev/null
