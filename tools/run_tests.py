#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs unit tests, fuzz corpora and end-to-end tests, counts every test, and closes with the line
`N passed, N failed`. Usage: run_tests.py unit|e2e|all BUILD"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def line(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def environment(**more):
    return {**os.environ, **SANITIZERS, **more}


def say(text):
    print(text, flush=True)


def run_unit(program, count):
    """One cmocka program: its own closing lines count; dying without them is a failure."""
    done = subprocess.run(
        [program], env=environment(), cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True
    )
    output = (done.stdout + done.stderr).decode(errors="replace")
    passed = len(re.findall(r"^\[       OK \]", output, re.MULTILINE))
    failed = len(re.findall(r"^\[  FAILED  \] \w+$", output, re.MULTILINE))
    skipped = len(re.findall(r"^\[  SKIPPED \] \w+$", output, re.MULTILINE))
    started = len(re.findall(r"^\[ RUN      \]", output, re.MULTILINE))
    closing = re.search(r"^\[==========\] (\d+) test\(s\) run\.", output, re.MULTILINE)
    # cmocka lists failures twice: at the test, and at the end
    failed = min(failed, started - passed)
    if done.returncode != 0 and failed == 0 or closing is None:
        failed = max(failed, 1)
    count.passed += passed
    count.failed += failed
    count.skipped += skipped
    if failed or done.returncode != 0:
        say(output)
        say(f"FAILED {program.name}: exit status {done.returncode}")
    return passed


def unit(build, count):
    for program in sorted(p for p in (build / "unit").iterdir() if os.access(p, os.X_OK)):
        passed = run_unit(program, count)
        say(f"{program.name}: {passed} passed")


def fuzz(build, count):
    """Every corpus file once through its target, one test a target."""
    for program in sorted(p for p in (build / "fuzz").glob("fuzz_*") if os.access(p, os.X_OK)):
        corpus = TOP / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_")
        done = subprocess.run(
            [program, corpus], env=environment(), stdin=subprocess.DEVNULL, capture_output=True
        )
        ok = done.returncode == 0
        count.passed += ok
        count.failed += not ok
        say(f"{program.name}: {len(list(corpus.iterdir()))} corpus files, {'ok' if ok else 'FAILED'}")
        if not ok:
            say((done.stdout + done.stderr).decode(errors="replace"))


def e2e(build, count):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        binaries = {
            "CONSENTD_BIN": str(build / "asan/consentd"),
            "CONSENTCTL_BIN": str(build / "asan/consentctl"),
        }
        command = [TOP / "tests/.venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--junitxml={report}", "tests/e2e"]
        done = subprocess.run(
            command, env=environment(**binaries), cwd=TOP, stdin=subprocess.DEVNULL
        )
        if not report.exists():
            count.failed += 1
            return
        suite = ElementTree.parse(report).getroot().find("testsuite")
        number = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"]
        if done.returncode not in (0, 1):
            bad = max(bad, 1)
        count.failed += bad
        count.skipped += number["skipped"]
        count.passed += number["tests"] - number["failures"] - number["errors"] - number["skipped"]


def main():
    what, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    count = Count()
    if what in ("unit", "all"):
        unit(build, count)
    if what == "all":
        fuzz(build, count)
    if what in ("e2e", "all"):
        e2e(build, count)
    say(count.line())
    sys.exit(1 if count.failed or not count.passed else 0)


main()
