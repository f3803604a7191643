#!/usr/bin/env bash
# Layers, sizes, bans, format, and the warnings of both compilers. Silent when all is well.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
failed=0
tools/check_layers.sh --self-test || failed=1
tools/check_layers.sh || failed=1
python3 tools/lint.py --self-test || failed=1
python3 tools/lint.py || failed=1
python3 tools/run_tests.py --self-test || failed=1
files=$(find base policy tlog store auth api service cli bench tests/unit tests/fuzz tests/e2e -name '*.[ch]' | sort)
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files || failed=1
warnings=$(make -s --no-print-directory print-compile-flags)
for file in $(find base policy tlog store auth api service cli -name '*.c' | sort); do
    # shellcheck disable=SC2086
    clang $warnings -fsyntax-only "$file" || failed=1
done
exit $failed
