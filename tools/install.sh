#!/usr/bin/env bash
# Installs what is missing to run or to test, from Debian's packages; asks the network only when
# something is missing. `tools/install.sh run` or `tools/install.sh test`; the latter also makes
# tests/.venv with the pinned Python packages, Node.js among them (Debian's is too old for some of
# what tests run), and tests/npm/node_modules with those of npm.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."

run_packages="gcc make pkg-config libc6-dev libh2o-evloop-dev liblmdb-dev libjansson-dev libjwt-dev
  uuid-dev libssl-dev libcurl4-openssl-dev zlib1g-dev curl ca-certificates"
test_packages="$run_packages clang clang-format libclang-rt-14-dev libcmocka-dev python3 python3-venv
  nghttp2-client chromium"
# tests/judge is written in Go: any release from 1.18 on will do
command -v go >/dev/null || test_packages="$test_packages golang-go"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            echo "$package"
    done
}

install_packages() {
    local wanted try
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    echo "installing:" $wanted
    for try in 1 2; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null || continue
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            $wanted </dev/null >/dev/null && return 0
    done
    echo "these packages could not be installed:" $wanted >&2
    return 1
}

make_venv() {
    local stamp=tests/.venv/stamp
    cmp -s tests/requirements.txt "$stamp" && return 0
    rm -rf tests/.venv
    /usr/bin/python3 -m venv tests/.venv
    tests/.venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt ||
        tests/.venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
    cp tests/requirements.txt "$stamp"
}

make_node_modules() {
    local stamp=tests/npm/node_modules/stamp PATH=$PWD/tests/.venv/bin:$PATH
    cmp -s tests/npm/package-lock.json "$stamp" && return 0
    npm ci --prefix tests/npm --no-audit --no-fund --no-update-notifier \
            --ignore-scripts --loglevel=error >/dev/null ||
        npm ci --prefix tests/npm --no-audit --no-fund --no-update-notifier \
            --ignore-scripts --loglevel=error >/dev/null
    cp tests/npm/package-lock.json "$stamp"
}

# The nginx that tests put in front: unpacked and not installed, so that no web server starts here.
unpack_nginx() {
    local where=tests/.nginx file
    [ -x "$where/usr/sbin/nginx" ] && return 0
    rm -rf "$where" && mkdir -p "$where"
    (cd "$where" && apt-get download -qq nginx 2>/dev/null) || {
        as_root apt-get update -qq </dev/null
        (cd "$where" && apt-get download -qq nginx)
    }
    for file in "$where"/nginx_*.deb; do dpkg-deb -x "$file" "$where"; done
}

case ${1:-} in
run)
    # shellcheck disable=SC2086
    install_packages $run_packages
    ;;
test)
    # shellcheck disable=SC2086
    install_packages $test_packages
    make_venv
    make_node_modules
    unpack_nginx
    ;;
*)
    echo "usage: tools/install.sh run|test" >&2
    exit 2
    ;;
esac
