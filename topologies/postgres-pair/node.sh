#!/bin/sh
# One server of the pair, in the foreground: `node.sh primary [sync]`, or `node.sh standby PORT` of
# a primary on the same host. A second start, after a crash, finds its data and goes on with it.
. "$(dirname "$0")/lib.sh"

if [ ! -d "$data" ]; then
    case $1 in
    primary)
        secret=$ASSIZE_FOLDER/password
        (umask 077 && printf '%s\n' "$PGPASSWORD" >"$secret")
        [ -z "$as" ] || chown "$user" "$secret"
        $as "$bin/initdb" -D "$data" -U "$PGUSER" --pwfile="$secret" -A scram-sha-256 -N >/dev/null
        rm "$secret"
        echo "host replication all all scram-sha-256" >>"$data/pg_hba.conf"
        echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
        configure
        cat >>"$data/postgresql.conf" <<CONF
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 500ms
max_wal_size = 256MB
max_connections = 300
shared_buffers = 16MB
fsync = ${PAIR_FSYNC:-on}
CONF
        [ "${2:-async}" = async ] || echo "synchronous_standby_names = '*'" >>"$data/postgresql.conf"
        ;;
    standby) clone "$host" "$2" ;;
    esac
fi

rm -f "$data/postmaster.pid"
while :; do
    code=0
    $as "$bin/postgres" -D "$data" || code=$?
    [ -e "$hold" ] || exit $code
    while [ -e "$hold" ]; do sleep 0.1; done
done
