#!/usr/bin/env bash
# Layers, sizes, bans, format, and the warnings of clang (gcc's come with every build). Silent when
# all is well.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
failed=0
tools/check_layers.sh --self-test || failed=1
tools/check_layers.sh || failed=1
python3 tools/lint.py --self-test || failed=1
python3 tools/lint.py || failed=1
python3 tools/run_tests.py --self-test || failed=1

rooms="base policy tlog store auth api service cli bench"
sources() { # suffix, folders
    local suffix=$1
    shift
    find "$@" -name "*.$suffix" | sort
}
# shellcheck disable=SC2086
sources '[ch]' $rooms tests/unit tests/fuzz tests/truth tests/judge tests/tamper tests/e2e | xargs clang-format --dry-run -Werror || failed=1

# An outer make would have its own words among the flags.
flags=$(MAKEFLAGS= make -s print-compile-flags)
clang_each() { # more flags, then sources on stdin
    # shellcheck disable=SC2086
    xargs -P "$(nproc)" -n 8 clang $flags "$@" -fsyntax-only
}
# shellcheck disable=SC2086
sources c $rooms | clang_each || failed=1
sources c store | clang_each -DSTORE_CHECK_VIEWS || failed=1
sources c tests/unit tests/fuzz tests/truth tests/judge tests/tamper | clang_each -DSTORE_CHECK_VIEWS -Wno-unused-function || failed=1
exit $failed
