#!/bin/sh
# A base backup into the archive, beside the log that the server archives all the time.
. "$(dirname "$0")/lib.sh"
to=$archive/$(basename "$ASSIZE_BACKUP").base
rm -rf "$to"
$as "$bin/pg_basebackup" -h "$host" -p "$port" -D "$to" -c fast -X none >&2
echo "bytes $(du -sb "$to" | cut -f 1)"
