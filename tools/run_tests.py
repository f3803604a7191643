#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs unit tests, fuzz corpora, case tables of packs, the truth test of decisions and end-to-end
tests, counts every test, and closes with the line `N passed, N failed`.
Usage: run_tests.py unit|tables|truth|e2e|all BUILD, or --self-test."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
TABLE = [".test", ".json"]
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def line(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def environment(**more):
    return {**os.environ, **SANITIZERS, **more}


def say(text):
    print(text, flush=True)


def counted(stdout, status):
    """(passed, failed, skipped) of one cmocka program: what was announced and neither passed nor
    skipped has failed; a crash, a leak or a failed group set-up fails at least one."""
    announced = sum(map(int, re.findall(r"\] Running (\d+) test\(s\)\.", stdout)))
    passed = len(re.findall(r"^\[       OK \] \w+$", stdout, re.MULTILINE))
    skipped = len(re.findall(r"^\[  SKIPPED \] \w+$", stdout, re.MULTILINE))
    failed = announced - passed - skipped
    if status != 0 or announced == 0:
        failed = max(failed, 1)
    return passed, failed, skipped


def self_test():
    """Outputs as cmocka 1.1 writes them, and what they must count."""
    two = "[==========] Running 2 test(s).\n[ RUN      ] a\n"
    a, b = "[       OK ] a\n", "[       OK ] b\n"
    end = "[==========] 2 test(s) run.\n"
    cases = [
        (two + a + "[ RUN      ] b\n" + b + end, 0, (2, 0, 0)),
        (two + a + "[ RUN      ] b\n[  FAILED  ] b\n" + end, 1, (1, 1, 0)),
        (two + a + "[ RUN      ] b\n[  SKIPPED ] b\n" + end, 0, (1, 0, 1)),
        (two + "[  SKIPPED ] a\n[ RUN      ] b\n[  FAILED  ] b\n" + end, 1, (0, 1, 1)),
        (
            two + a + "[ RUN      ] b\n" + end,
            1,
            (1, 1, 0),
        ),  # a failed set-up has no line of its own
        (two + a, -6, (1, 1, 0)),  # died in the second
        (two, 1, (0, 2, 0)),
        (two + a + "[ RUN      ] b\n" + b + end, 1, (2, 1, 0)),  # leaks are found at the end
        ((two + a + b + end) * 2, 0, (4, 0, 0)),
        ("", 0, (0, 1, 0)),
        ("", 139, (0, 1, 0)),
    ]
    return [f"self-test: {case}" for *case, want in cases if counted(*case) != want]


def run(command, seconds=900):
    """Exit status, stdout and both outputs; a program that hangs is ended and has failed."""
    try:
        done = subprocess.run(
            command,
            env=environment(),
            cwd=TOP,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, out, err = "timeout", late.stdout or b"", late.stderr or b""
    except OSError as error:
        status, out, err = "not run", b"", str(error).encode()
    out, err = out.decode(errors="replace"), err.decode(errors="replace")
    return status, out, out + err


def programs(build, kind, prefix):
    """One for each source file: what an earlier state of the tree left behind is not run."""
    return [build / kind / p.stem for p in sorted((TOP / "tests" / kind).glob(f"{prefix}_*.c"))]


def each(commands):
    """(name, result of run) in order, as many at once as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip((c[0].name for c in commands), pool.map(run, commands))


def unit(build, count):
    for name, (status, stdout, output) in each([[p] for p in programs(build, "unit", "test")]):
        passed, failed, skipped = counted(stdout, status)
        count.add(passed, failed, skipped)
        if failed:
            say(output)
        more = f", {skipped} skipped" if skipped else ""
        say(f"{name}: {passed} passed" + (f", {failed} FAILED, exit {status}" if failed else more))


def fuzz(build, count):
    """Every corpus file once through its target, one test a target."""
    corpus = TOP / "tests/fuzz/corpus"
    targets = programs(build, "fuzz", "fuzz")
    commands = [[p, corpus / p.name.removeprefix("fuzz_")] for p in targets]
    for (program, files), (name, (status, _, output)) in zip(commands, each(commands)):
        ok = status == 0
        count.add(ok, not ok, 0)
        say(f"{name}: {len(list(files.iterdir()))} corpus files, {'ok' if ok else 'FAILED'}")
        if not ok:
            say(output)


def tables(build, count):
    """The case table of every pack of the product, and of those among the tests that have one."""
    packs = [p for p in sorted(TOP.glob("policy/packs/*.json")) if p.suffixes[-2:] != TABLE]
    tabled = sorted(TOP.glob("tests/packs/*.test.json"))
    packs += [p.with_name(p.name.replace(".test.json", ".json")) for p in tabled]
    command = [build / "asan/consentctl", "policy", "test"]
    for pack in packs:
        status, stdout, output = run([*command, pack, pack.with_suffix(".test.json")])
        last = re.search(r"^(\d+) cases, (\d+) failed$", stdout, re.MULTILINE)
        cases, failed = map(int, last.groups()) if last else (0, 0)
        if status != 0 or cases == 0:
            failed = max(failed, 1)
        count.add(max(cases - failed, 0), failed, 0)
        say(output if failed else f"{pack.name}: {cases} cases of its table as expected")


def truth(build, count):
    """Decisions against a model of them; what they disagree on is printed whole."""
    command = [sys.executable, TOP / "tests/run_truth.py", build / "truth/driver"]
    status, stdout, output = run(command)
    ok = status == 0
    count.add(ok, not ok, 0)
    say(stdout.splitlines()[-1] if ok else output)


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
        count.passed += number["tests"] - bad - number["skipped"]
        if done.returncode not in (0, 1):
            bad = max(bad, 1)
        count.failed += bad
        count.skipped += number["skipped"]


def main():
    if "--self-test" in sys.argv:
        said = self_test()
        print("\n".join(said), end="\n" if said else "")
        sys.exit(1 if said else 0)
    what, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    count = Count()
    if what in ("unit", "all"):
        unit(build, count)
    if what == "all":
        fuzz(build, count)
    if what in ("tables", "all"):
        tables(build, count)
    if what in ("truth", "all"):
        truth(build, count)
    if what in ("e2e", "all"):
        e2e(build, count)
    say(count.line())
    sys.exit(1 if count.failed or not count.passed else 0)


main()
