#!/bin/bash
# Builds docker/Dockerfile as it stands on a bare Debian 12, without a container engine, and runs
# what the image says: as its user, on a read-only root, with its health check and stop signal.
# Needs root, debootstrap, buildah and jq. `make image-test`.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/host_apt.sh

scratch=${SCRATCH:-/tmp/consentd-image-test}
mkdir -p "$scratch"
buildah=(buildah --root "$scratch/storage" --runroot "$scratch/run" --storage-driver vfs)
image=localhost/consentd-test
unset CONSENTD_LISTEN CONSENTD_DATA CONSENTD_PACK

say "a bare Debian 12"
debian_base "$scratch/base"
if ! "${buildah[@]}" inspect --type image localhost/debian-base >/dev/null 2>&1; then
    container=$("${buildah[@]}" from scratch)
    "${buildah[@]}" copy -q "$container" "$scratch/base" / >/dev/null
    "${buildah[@]}" commit -q --rm "$container" localhost/debian-base >/dev/null
fi

say "the image, from the committed tree"
rm -rf "$scratch/context"
mkdir "$scratch/context"
git archive HEAD | tar -x -C "$scratch/context"
"${buildah[@]}" bud --isolation chroot --format docker --build-arg BASE=localhost/debian-base \
    -f "$scratch/context/docker/Dockerfile" -t "$image" "$scratch/context" \
    >"$scratch/build.log" 2>&1 || {
    tail -n 40 "$scratch/build.log" >&2
    die "build: $scratch/build.log"
}

config=$("${buildah[@]}" inspect --type image "$image" | jq .Docker.config)
user=$(jq -r .User <<<"$config")
mapfile -t environment < <(jq -r '.Env[]' <<<"$config")
mapfile -t entry < <(jq -r '.Entrypoint[]' <<<"$config")
mapfile -t health < <(jq -r '.Healthcheck.Test[1:][]' <<<"$config")
[ "$(jq -r .StopSignal <<<"$config")" = SIGTERM ] || die "the stop signal is not SIGTERM"
[ "$(jq -r '.Healthcheck.Test[0]' <<<"$config")" = CMD ] || die "the health check has a shell"
case $user in 0 | root | "" | 0:*) die "the image runs as root" ;; esac

container=$("${buildah[@]}" from "$image")
root=$("${buildah[@]}" mount "$container")
data=$scratch/data
rm -rf "$data"
mkdir -p "$data"
chown "$(stat -c %u:%g "$root/var/lib/consentd")" "$data"

# inside COMMAND...: in the image's root, which nobody can write; the data volume and /tmp are all
# that can. The network is this machine's. The command becomes process $! itself.
inside() {
    exec unshare --mount --propagation private bash -c '
        set -e
        root=$1 data=$2 user=$3
        shift 3
        mount --bind "$root" "$root"
        mount --bind "$data" "$root/var/lib/consentd"
        mount -t tmpfs -o size=16m,mode=1777 tmpfs "$root/tmp"
        mount -t proc proc "$root/proc"
        mount --bind /dev "$root/dev"
        mount -o remount,bind,ro "$root"
        cd "$root"
        exec chroot --userspec="$user" "$root" \
            /usr/bin/env -i --chdir=/var/lib/consentd "$@"
    ' inside "$root" "$data" "$user" "${environment[@]}" "$@"
}

port=$((20000 + RANDOM % 20000))
environment+=("CONSENTD_LISTEN=0.0.0.0:$port")
server=
cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
    "${buildah[@]}" umount "$container" >/dev/null || :
    "${buildah[@]}" rm "$container" >/dev/null || :
}
trap cleanup EXIT

say "nobody can write to its root"
(inside /usr/bin/touch /usr/local/bin/new) 2>/dev/null && die "the root is writable"
(inside /usr/bin/touch /var/lib/consentd/new) || die "the data volume is not writable"

say "the health check fails while nothing runs"
(inside "${health[@]}") 2>/dev/null && die "the health check passes without a service"

say "it starts as user $user"
(inside "${entry[@]}" --dev) >"$scratch/out.txt" 2>"$scratch/err.txt" &
server=$!
healthy() { (inside "${health[@]}") 2>/dev/null; }
wait_for 30 healthy || {
    cat "$scratch/err.txt" >&2
    die "not healthy"
}
[ "$(stat -c %u "/proc/$server")" = "${user%%:*}" ] || die "the process runs as somebody else"
[ "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/docs")" = 200 ] || die "/docs"

say "SIGTERM ends it cleanly"
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" = 0 ] || {
    cat "$scratch/err.txt" >&2
    die "exit status $status after SIGTERM"
}
[ -s "$data/data.mdb" ] || die "the data is not in the volume"

say "the packs and consentctl are there"
(inside /usr/local/bin/consentctl --version) >/dev/null || die "consentctl"
(inside "${entry[@]}" --dev --check-config) >/dev/null || die "--check-config"

say "image-test passed"
