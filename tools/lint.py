#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes and bans that keep every file readable, fields of log lines that are no personal data, and
an assertion and a test for each invariant. `--self-test` shows that each rule can fail."""

import pathlib
import re
import sys

ROOMS = ["base", "policy", "tlog", "store", "auth", "api", "service", "cli"]
OTHERS = ["bench", "tests/unit", "tests/fuzz", "tests/e2e/faults", "tests/judge/writer", "tests/tamper"]
LINES = {".c": 500, ".h": 150}
LINE_LENGTH = 100
FUNCTION_LINES = 70
PARAMETERS = 5
# Functions whose signature is a protocol of its own: name -> parameters.
MORE_PARAMETERS = {
    "store_consent_query": 6,
    "store_event_query": 6,
    "on_alpn": 6,
}

BANNED = {
    r"\b(sprintf|vsprintf|strcpy|strcat|gets|atoi|atol|strtok|alloca)\s*\(": "banned function",
    r"(?<![\w.>])(malloc|calloc|realloc|free)\s*\(": "memory goes through base/mem.h",
    r"\b(TODO|FIXME|XXX)\b": "unfinished work",
    r"typedef\s+struct": "no typedef of structs",
    r"\bassert\s*\(": "ASSERT is always compiled in",
    r"\t": "tab",
    r"[ ]+$": "trailing space",
}
# Memory of a library goes back to that library: libjwt's texts, h2o's contexts.
ALLOWED = {
    (name, "memory goes through base/mem.h")
    for name in ("base/mem.c", "auth/signer.c", "service/loop.c", "service/witness_server.c")
}
# Invariant 10: what stands in log lines is one of these, none of which is a person's.
LOG_FIELDS = set(
    """address age_s answered attempts bytes bytes_left call cause client code consents count days
    duration_us entries in_flight index issuer key keys kind left_out logs loop loops method name now_ms origin
    pack peer protocol reloads request_id reserve resets route sha256 size status step_ms text
    trace_id uptime_ms version warning why witness""".split()
)
INVARIANTS = set(range(1, 12))
ASSERTED_HERE = {10}


def strip(text):
    """Comments and literals emptied, lines kept."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match):
        kept = match.group(0)
        if kept[0] in "\"'":
            return kept[0] * 2
        return re.sub(r"[^\n]", " ", kept)

    return re.sub(pattern, blank, text, flags=re.DOTALL)


def functions(code):
    """(name, first line, lines, parameters) of each definition and declaration at top level."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines):
        if start is None and re.match(r"^[A-Za-z_].*\(", line) and not line.startswith("#"):
            head = line
            at = number
            while not re.search(r"[;{]\s*$", head.rstrip()) and at + 1 < len(lines):
                at += 1
                head += " " + lines[at].strip()
                if at - number > 12:
                    break
            match = re.search(r"(\w+)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)", head)
            if not match or "=" in head.split("(")[0]:
                continue
            parameters = [p for p in re.sub(r"\([^()]*\)", "", match.group(2)).split(",")]
            count = 0 if match.group(2).strip() in ("", "void") else len(parameters)
            if head.rstrip().endswith("{"):
                start = (match.group(1), number, count)
            else:
                yield match.group(1), number, 0, count
        elif start is not None and line == "}":
            yield start[0], start[1], number - start[1] + 1, start[2]
            start = None


def check_functions(name, code):
    for function, line, size, parameters in functions(code):
        if size > FUNCTION_LINES:
            yield f"{name}:{line + 1}: {function} has {size} lines, more than {FUNCTION_LINES}"
        if function.isupper() or function in ("__attribute__", "_Static_assert"):
            continue
        if parameters > MORE_PARAMETERS.get(function, PARAMETERS):
            yield f"{name}:{line + 1}: {function} has {parameters} parameters"


def check(name, text):
    lines = text.split("\n")
    suffix = pathlib.PurePath(name).suffix
    if len(lines) - 1 > LINES[suffix]:
        yield f"{name}: {len(lines) - 1} lines, more than {LINES[suffix]}"
    if "// SPDX-License-Identifier: Apache-2.0" not in lines[:12]:
        yield f"{name}: no SPDX line near the top"
    if not text.startswith("/*"):
        yield f"{name}: the first comment must say what the file is for"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_LENGTH:
            yield f"{name}:{number}: {len(line)} characters, more than {LINE_LENGTH}"
    code = strip(text)
    for pattern, why in BANNED.items():
        source = text if why in ("unfinished work", "tab", "trailing space") else code
        for match in re.finditer(pattern, source, re.MULTILINE):
            if (name, why) not in ALLOWED:
                yield f"{name}:{source.count(chr(10), 0, match.start()) + 1}: {why}"
    yield from check_functions(name, code)


def check_log_fields(name, text):
    for match in re.finditer(r'\bLOG_(?:TEXT|SPAN|INT)\(\s*("\w*"|\w+)', text):
        field = match.group(1)
        if field.strip('"') not in LOG_FIELDS and not (name == "base/log.h" and field == "key"):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {field} is no known field of log lines"


def cited(text):
    """(line, numbers) of each place that cites invariants."""
    for match in re.finditer(r"\b[Ii]nvariants? ((?:\d+(?:, | and )?)+)", text):
        yield text.count("\n", 0, match.start()), set(map(int, re.findall(r"\d+", match.group(1))))


def asserted(text):
    """The numbers that are cited beside an assertion."""
    lines = text.split("\n")
    found = set()
    for line, numbers in cited(text):
        if any("ASSERT(" in near for near in lines[line : line + 3]):
            found |= numbers
    return found


def check_invariants(sources, tests):
    by_assertion = ASSERTED_HERE.union(*map(asserted, sources))
    by_test = set().union(*(numbers for text in tests for _, numbers in cited(text)))
    for number in sorted(INVARIANTS - by_assertion):
        yield f"invariant {number} is cited by no assertion"
    for number in sorted(INVARIANTS - by_test):
        yield f"invariant {number} is cited by no test"


HEAD = "/* A file. */\n// SPDX-License-Identifier: Apache-2.0\n"
WRONG = {
    "more than 500": HEAD + "int x;\n" * 500,
    "no SPDX": "/* A file. */\n",
    "first comment": "// SPDX-License-Identifier: Apache-2.0\n",
    "more than 100": HEAD + "// " + "x" * 100 + "\n",
    "banned function": HEAD + "int f(void) {\n    return atoi(x);\n}\n",
    "base/mem.h": HEAD + "void f(void) {\n    free(x);\n}\n",
    "unfinished work": HEAD + "// TO" + "DO\n",
    "no typedef": HEAD + "typedef struct x y;\n",
    "always compiled": HEAD + "void f(void) {\n    assert(x);\n}\n",
    "tab": HEAD + "\tint x;\n",
    "trailing space": HEAD + "int x; \n",
    "more than 70": HEAD + "void f(void) {\n" + "    x();\n" * 70 + "}\n",
    "6 parameters": HEAD + "int f(int a, int b, int c, int d, int e,\n      int f);\n",
}
RIGHT = HEAD + "/* free() of it */\nint f(int a, int (*b)(int, int), int c) {\n    return a;\n}\n"


def self_test():
    missed = [why for why, text in WRONG.items() if why not in "\n".join(check("x.c", text))]
    missed += list(check("x.c", RIGHT))
    if not list(check_log_fields("x.c", 'LOG_SPAN("account", a)')):
        missed.append("a field of a log line that is personal")
    numbers = " and ".join(map(str, sorted(INVARIANTS)))
    good, bare = f"/* invariants {numbers} */\nASSERT(x);", f"/* invariants {numbers} */\nx();"
    missed += check_invariants([good], [bare])
    for sources, tests in (([bare], [bare]), ([good], [good.replace("8 and ", "")])):
        if not list(check_invariants(sources, tests)):
            missed.append("an invariant without an assertion or a test")
    return [f"self-test: {why}" for why in missed]


def texts(*patterns):
    top = pathlib.Path(__file__).resolve().parent.parent
    return [path.read_text() for pattern in patterns for path in sorted(top.glob(pattern))]


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        said = self_test()
    else:
        said = []
        for room in ROOMS + OTHERS:
            for path in sorted((top / room).glob("*.[ch]")):
                name = str(path.relative_to(top))
                found = check(name, path.read_text())
                if room.startswith(("tests", "bench")):
                    found = (f for f in found if "lines, more than" not in f or "has" in f)
                    found = (f for f in found if "base/mem.h" not in f and "parameters" not in f)
                said += found
                if room in ROOMS:
                    said += check_log_fields(name, path.read_text())
        said += check_invariants(
            texts(*(f"{room}/*.[ch]" for room in ROOMS)), texts("tests/unit/*.c", "tests/e2e/*.py")
        )
    print("\n".join(said), end="\n" if said else "")
    sys.exit(1 if said else 0)


main()
