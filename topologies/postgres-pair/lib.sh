# What the scripts of this folder share. PostgreSQL does not run as root, so as root it runs as
# PAIR_USER (postgres, unless you say otherwise). Everything lies below ASSIZE_FOLDER, the folder
# that the run gives each replica and removes afterwards.
set -eu

# postgres://USER:PASSWORD@HOST/DATABASE; host and port come from the run.
rest=${PAIR_DSN#*://}
PGUSER=${rest%%:*}
rest=${rest#*:}
PGPASSWORD=${rest%%@*}
PGDATABASE=${rest#*@*/}
export PGUSER PGPASSWORD PGDATABASE
export PGCONNECT_TIMEOUT=5
# A synchronous primary would wait for a standby that may not be there yet.
export PGOPTIONS='-c synchronous_commit=local'

data=$ASSIZE_FOLDER/data
hold=$ASSIZE_FOLDER/hold
archive=$(dirname "$ASSIZE_FOLDER")/$ASSIZE_SERVICE-archive
host=$ASSIZE_UPSTREAM_HOST
port=$ASSIZE_UPSTREAM_PORT

# Debian keeps the server's programs out of the path.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_basebackup)")

if [ "$(id -u)" = 0 ]; then
    user=${PAIR_USER:-postgres}
    as="setpriv --reuid=$user --regid=$user --clear-groups"
    chown "$user" "$ASSIZE_FOLDER"
    # The folders of a run are their owner's alone; the server has to pass through them.
    chmod o+x "$(dirname "$ASSIZE_FOLDER")"
    mkdir -p "$archive"
    chown "$user" "$archive"
else
    as=
    mkdir -p "$archive"
fi
cd "$ASSIZE_FOLDER"

# A data folder becomes that of this replica: its address, its archive.
configure() {
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '$host'
port = $port
unix_socket_directories = ''
cluster_name = '$ASSIZE_REPLICA'
archive_mode = on
archive_command = 'test -f $archive/%f || cp %p $archive/%f.new && mv -n $archive/%f.new $archive/%f'
archive_timeout = 5
CONF
}

# Copies a running server into the data folder of this replica, and makes it its standby. Once
# promoted it has no standby of its own, and must not wait for one until somebody follows it.
clone() {
    rm -rf "$data"
    $as "$bin/pg_basebackup" -h "$1" -p "$2" -D "$data" -c fast -X stream
    : >"$data/postgresql.auto.conf"
    configure
    echo "synchronous_standby_names = ''" >>"$data/postgresql.conf"
    touch "$data/standby.signal"
    point "$1" "$2"
}

# Whom to follow, from the next start or reload on.
point() {
    cat >>"$data/postgresql.conf" <<CONF
primary_conninfo = 'host=$1 port=$2 user=$PGUSER password=$PGPASSWORD application_name=$ASSIZE_REPLICA'
recovery_target_timeline = latest
CONF
}

# The server of this replica is stopped and stays so until released; `node.sh` starts it again.
held() {
    touch "$hold"
    $as "$bin/pg_ctl" -D "$data" -m immediate -w stop >&2 || true
}

released() {
    rm -f "$hold"
    tries=0
    until "$bin/pg_isready" -q -h "$host" -p "$port"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "not ready after 30 s" >&2; exit 75; }
        sleep 0.1
    done
}

sql() {
    "$bin/psql" -qAtX -v ON_ERROR_STOP=1 -h "$host" -p "$port" -c "$1"
}
