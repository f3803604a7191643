#!/bin/bash
# Proves the README's two commands on a bare Debian 12 that has git and make: `make run` serves, and
# the three commands that it prints grant, find and revoke a consent; `make test` passes.
# Needs root, debootstrap and the network; port 8080 must be free. `make chroot-test`.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/host_apt.sh

scratch=${SCRATCH:-/tmp/consentd-chroot-test}
root=$scratch/root
mkdir -p "$scratch"
(exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null && die "port 8080 is taken"

say "a bare Debian 12"
debian_base "$scratch/base"
rm -rf "$root"
cp -a "$scratch/base" "$root"
mapfile -t sources < <(host_sources "$root")

# inside COMMAND...: as root in the bare system. The command becomes process $! itself.
inside() {
    exec unshare --mount --propagation private bash -c '
        set -e
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            LANG=C.UTF-8 "$@"
    ' inside "$root" "${sources[@]}" "$@"
}

say "git, make and certificates"
(inside bash -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends git make ca-certificates') >"$scratch/apt.log" 2>&1 ||
    die "apt-get: $scratch/apt.log"

say "a clone"
git bundle create -q "$root/root/consentd.bundle" HEAD
(inside git -c advice.detachedHead=false clone -q /root/consentd.bundle /root/consentd)

say "make run"
# A process group of its own, to be ended as a whole.
setsid bash -c "$(declare -f inside)"'
    root=$1; shift; sources=("$@"); inside make -C /root/consentd run' \
    run "$root" "${sources[@]}" >"$scratch/run.out" 2>"$scratch/run.err" &
run=$!
cleanup() { kill -TERM -- "-$run" 2>/dev/null || :; }
trap cleanup EXIT
printed() {
    kill -0 "$run" 2>/dev/null || die "make run ended: $scratch/run.err"
    grep -q '/revoke"' "$scratch/run.out"
}
wait_for 600 printed || die "make run printed no commands: $scratch/run.err"
sed -n '/^# Grant/,$p' "$scratch/run.out" >"$root/root/commands"
(inside bash -eu /root/commands) >"$scratch/answers" 2>"$scratch/granted" ||
    die "the printed commands: $scratch/granted"
grep -q '"status":"active"' "$scratch/granted" || die "nothing was granted: $scratch/granted"
id=$(sed -n 's/.*"consentId":"\([^"]*\)".*/\1/p' "$scratch/granted")
grep -q "\"items\":\[{\"consentId\":\"$id\".*\"status\":\"active\"" "$scratch/answers" ||
    die "it was not found: $scratch/answers"
grep -q "^{\"consentId\":\"$id\".*\"status\":\"revoked\"\|}{\"consentId\":\"$id\".*\"status\":\"revoked\"" \
    "$scratch/answers" || die "it was not revoked: $scratch/answers"
kill -TERM -- "-$run"
wait "$run" || :
trap - EXIT
grep -q '"event":"service.stopped"' "$scratch/run.err" || die "it did not stop: $scratch/run.err"

if [ "${1:-}" = run-only ]; then
    say "chroot-test passed (make run only)"
    exit 0
fi
say "make test"
(inside make -C /root/consentd test) >"$scratch/test.log" 2>&1 || {
    tail -n 40 "$scratch/test.log" >&2
    die "make test: $scratch/test.log"
}
tail -n 1 "$scratch/test.log"
say "chroot-test passed"
