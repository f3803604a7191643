# For scripts of this folder: a bare Debian 12 in a directory, with the package configuration of
# this machine. Sourced.
# SPDX-License-Identifier: Apache-2.0

say() { printf '== %s\n' "$*"; }
die() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# The mirror that this machine installs Debian from.
host_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep -v security | head -n 1 | sed 's#/*$##'
}

# debian_base DIR: made once and kept; copies are cheap.
debian_base() {
    [ -e "$1/.complete" ] && return 0
    rm -rf "$1"
    mkdir -p "$1"
    debootstrap --variant=minbase bookworm "$1" "$(host_mirror)" >"$1.log" 2>&1 ||
        die "debootstrap: $1.log"
    rm -rf "$1"/var/cache/apt/archives/*.deb
    host_apt "$1"
    touch "$1/.complete"
}

# host_apt DIR: where and how this machine gets its packages.
host_apt() {
    local part
    rm -f "$1/etc/apt/sources.list"
    for part in sources.list sources.list.d apt.conf.d auth.conf.d keyrings preferences.d \
        trusted.gpg.d; do
        [ -e "/etc/apt/$part" ] && cp -a "/etc/apt/$part" "$1/etc/apt/"
    done
    cp -L /etc/resolv.conf "$1/etc/resolv.conf"
}

# npm's settings that lead to its registry, as it would find them in the environment.
host_npm() {
    local name value
    command -v npm >/dev/null || return 0
    for name in registry cafile; do
        value=$(npm config get "$name" 2>/dev/null)
        [ -z "$value" ] || [ "$value" = null ] || printf 'npm_config_%s=%s\n' "$name" "$value"
    done
}

# NAME=VALUE of this machine's settings for reaching package sources, one a line; certificates that
# they name are copied into DIR.
host_sources() {
    local name value
    local wanted='^(PIP_|GOPROXY|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy'
    wanted+='|HTTPS?_PROXY|NO_PROXY)'
    { env | grep -E "$wanted" || :; host_npm; } | while IFS= read -r line; do
        name=${line%%=*} value=${line#*=}
        if [[ $name = *_CERT* || $name = *_cafile ]] && [ -e "$value" ]; then
            install -D -m 0644 "$value" "$1/usr/local/share/$name.crt"
            value=/usr/local/share/$name.crt
        elif [ "$name" = PIP_FIND_LINKS ] && [ -d "$value" ]; then
            mkdir -p "$1$value"
            cp -a "$value/." "$1$value/"
        fi
        printf '%s=%s\n' "$name" "$value"
    done
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local until=$(($(date +%s) + $1))
    shift
    while ! "$@"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        read -r -t 0.2 <> <(:) || :
    done
}
