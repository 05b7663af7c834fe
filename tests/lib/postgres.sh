# A PostgreSQL server of our own, for tests/run and deploy/bench: unprivileged user, own port, own folder, loopback only.
# Sourced by bash; start_postgres exports DTSEN_TEST_POSTGRES, and the server goes when the shell ends.

# PostgreSQL's server programs, wherever the system puts them.
pg_bin() {
    local found
    for found in "$(command -v initdb 2>/dev/null || true)" /usr/lib/postgresql/*/bin/initdb /usr/local/pgsql/bin/initdb; do
        if [ -n "$found" ] && [ -x "$found" ] && [ -x "$(dirname "$found")/postgres" ]; then
            dirname "$found"
            return
        fi
    done
}

pg_home=
pg_user=
as_pg() {
    if [ -n "$pg_user" ]; then
        setpriv --reuid="$pg_user" --regid="$pg_user" --clear-groups "$@"
    else
        "$@"
    fi
}

stop_postgres() {
    if [ -n "$pg_home" ]; then
        as_pg "$(pg_bin)/pg_ctl" -D "$pg_home/data" -m immediate stop >/dev/null 2>&1 || true
        rm -rf "$pg_home"
    fi
}

# `wal_level=logical` costs little and lets the benchmark replicate.
start_postgres() {
    local bin port
    bin=$(pg_bin)
    pg_home=$(mktemp -d /tmp/dtsen-pg.XXXXXX)
    trap stop_postgres EXIT
    if [ "$(id -u)" = 0 ]; then
        pg_user=dtsen-test
        id "$pg_user" >/dev/null 2>&1 || useradd --system --no-create-home --user-group "$pg_user"
        chown "$pg_user:$pg_user" "$pg_home"
    fi
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 55432)
    (cd "$pg_home" && as_pg "$bin/initdb" -D data -U postgres -A trust -E UTF8 --locale=C >initdb.log 2>&1) || {
        cat "$pg_home/initdb.log" >&2
        exit 1
    }
    (cd "$pg_home" && as_pg "$bin/pg_ctl" -D data -w -t 60 -l log \
        -o "-p $port -k $pg_home -c listen_addresses=127.0.0.1 -c max_connections=200 -c wal_level=logical" start >/dev/null) || {
        cat "$pg_home/log" >&2
        exit 1
    }
    export DTSEN_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres" DTSEN_TEST_REQUIRE_POSTGRES=1
}
