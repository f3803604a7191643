#!/usr/bin/env bash
# Proves from the #include lines that rooms only use rooms to their left, and that each library has
# its doors (ARCHITECTURE.md, Layers). With --self-test: shows that each rule can fail.
# SPDX-License-Identifier: Apache-2.0
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

# room: the rooms it may include
allowed_rooms() {
    case $1 in
    base) echo base ;;
    policy) echo base policy ;;
    tlog) echo base tlog ;;
    store) echo base policy tlog store ;;
    auth) echo base auth ;;
    api) echo base policy tlog store auth api ;;
    service) echo base policy tlog store auth api service ;;
    cli) echo base policy tlog store auth cli ;;
    esac
}

# library header: the rooms that are its door
doors() {
    case $1 in
    h2o.h | h2o/*) echo service ;;
    lmdb.h) echo store ;;
    jwt.h) echo auth ;;
    curl/*) echo service cli ;;
    jansson.h) echo policy auth api service cli ;;
    openssl/*) echo base tlog auth service ;;
    uuid/*) echo base ;;
    *) echo any ;;
    esac
}

# the headers of a room that other rooms may include; "all" when none is private
public_headers() {
    case $1 in
    store) echo store.h change.h draft.h erasure.h read.h event.h question.h inquiry.h log.h look.h cosigned.h peer.h scrub.h feed.h outbox.h ;;
    policy) echo lifecycle.h pack.h rule.h clause.h admission.h decision.h directory.h ;;
    auth) echo auth.h certificate.h mint.h dev.h signer.h signed.h name.h ;;
    api) echo api.h ;;
    service | cli) echo ;;
    *) echo all ;;
    esac
}

has() {
    local wanted=$1 word
    shift
    for word in "$@"; do [ "$word" = "$wanted" ] && return 0; done
    return 1
}

check_line() { # file room kind header
    local file=$1 room=$2 kind=$3 header=$4 other name
    if [ "$kind" = '<' ]; then
        local door
        door=$(doors "$header")
        # shellcheck disable=SC2086
        [ "$door" = any ] || has "$room" $door || echo "$file: <$header> may be included in: $door"
        return
    fi
    other=${header%%/*} name=${header#*/}
    # shellcheck disable=SC2046
    has "$other" $(allowed_rooms "$room") || { echo "$file: $room may not include $header"; return; }
    # what an auditor runs must be able to find a fault of the store
    case $file in
    cli/audit* | cli/verify* | cli/monitor*)
        [ "$other" != store ] || echo "$file: an auditor's command may not include $header" ;;
    esac
    local public
    public=$(public_headers "$other")
    # shellcheck disable=SC2086
    [ "$other" = "$room" ] || [ "$public" = all ] || has "$name" $public ||
        echo "$file: $header is private to $other"
}

check() { # top
    local room file
    for room in base policy tlog store auth api service cli; do
        [ -d "$1/$room" ] || continue
        find "$1/$room" -name '*.[ch]' | sort | while read -r file; do
            sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])([^">]+)[">].*/\1 \2/p' "$file" |
                while read -r kind header; do check_line "${file#"$1"/}" "$room" "$kind" "$header"; done
        done
    done
}

self_test() {
    local dir wrong said
    dir=$(mktemp -d)
    mkdir -p "$dir"/{base,policy,tlog,store,auth,api,service,cli}
    while read -r file line; do
        echo "#include $line" >"$dir/$file"
        said=$(check "$dir")
        [ -n "$said" ] || { echo "self-test: $file with $line was not refused"; wrong=1; }
        rm "$dir/$file"
    done <<'CASES'
base/a.c "store/store.h"
base/a.c <jansson.h>
tlog/a.c <jansson.h>
tlog/a.c "policy/pack.h"
store/a.c <jansson.h>
store/a.c <jwt.h>
store/a.c <curl/curl.h>
store/a.c "auth/auth.h"
auth/a.c <lmdb.h>
auth/a.c "policy/pack.h"
auth/a.c "store/store.h"
api/a.c "store/db.h"
api/a.c "policy/pack_private.h"
api/a.c "auth/jws.h"
api/a.c "service/loop.h"
api/a.c <curl/curl.h>
api/a.c <h2o.h>
api/a.c <h2o/http1.h>
api/a.c <lmdb.h>
api/a.c <openssl/evp.h>
api/a.c <uuid/uuid.h>
service/a.c <jwt.h>
service/a.c <lmdb.h>
service/a.c "api/router.h"
cli/a.c "api/api.h"
cli/a.c "service/loop.h"
cli/audit_a.c "store/store.h"
cli/verify.c "store/log.h"
cli/monitor.c "store/event.h"
CASES
    echo '  #  include <lmdb.h>' >"$dir/api/a.c"
    [ -n "$(check "$dir")" ] || { echo "self-test: an include with spaces was not seen"; wrong=1; }
    echo '#include "store/store.h"' >"$dir/api/a.c"
    [ -z "$(check "$dir")" ] || { echo "self-test: a right include was refused"; wrong=1; }
    rm -rf "$dir"
    [ -z "${wrong:-}" ]
}

if [ "${1:-}" = --self-test ]; then
    self_test
    exit
fi
said=$(check "$top")
[ -z "$said" ] || { echo "$said"; exit 1; }
