# SPDX-License-Identifier: Apache-2.0
"""The README's tour, run as it stands: every command, and what is shown is what comes."""

import os
import re
import shutil
import subprocess

import pytest
from harness.server import CTL, ROOT

ADDRESS = "http://127.0.0.1:8080"
VARIABLE = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>"),
    (r'"account":"[A-Za-z0-9_-]{22}"', '"account":"<pairwise>"'),
    (r'"decisionId":"[A-Za-z0-9_-]+\.(\d+)"', r'"decisionId":"<entry>.\1"'),
)


def steps_of(text, count):
    """(commands, what they show) of each step; nothing shown is an empty text."""
    steps = re.findall(r"```sh\n(.*?)```\n(?:```text\n(.*?)```\n)?", text, re.DOTALL)
    assert len(steps) == text.count("```sh\n") == count
    return steps


def tour():
    text = (ROOT / "README.md").read_text()
    return steps_of(text.split("\n## Five minutes\n")[1].split("\n## ")[0], 13)


def first_hour():
    """What docs/integration.md has one do, but for the `make run` that everything begins with."""
    start, *steps = steps_of((ROOT / "docs" / "integration.md").read_text(), 4)
    assert "make run" in start[0]
    return steps


def normal(text):
    """Without what differs from run to run, and without the line breaks made for reading."""
    for pattern, name in VARIABLE:
        text = re.sub(pattern, name, text)
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("steps", [tour(), first_hour()], ids=["README", "integration"])
def test_a_tour_shows_what_it_says(new_server, tmp_path, steps):
    server = new_server("var/dev")
    (tmp_path / "build").mkdir()
    shutil.copy2(CTL, tmp_path / "build" / "consentctl")
    marker = "=== end of step"
    script = "".join(f"{commands}\necho\necho '{marker}'\n" for commands, _ in steps)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script.replace(ADDRESS, server.url)],
        cwd=tmp_path,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = done.stdout.replace(server.url, ADDRESS).split(marker)[:-1]
    assert len(outputs) == len(steps)
    for (commands, shown), output in zip(steps, outputs, strict=True):
        wanted = ".*".join(re.escape(part) for part in normal(shown).split("…"))
        assert re.fullmatch(wanted, normal(output)), f"{commands}\n{shown}\n{output}"


def test_every_file_that_the_documents_name_exists():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    for document in [path for path in documents if "node_modules" not in path.parts]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), (document, target)


def test_every_room_has_a_line_in_the_source_tour():
    text = (ROOT / "README.md").read_text()
    rooms = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"]
    assert len(rooms) > 10
    for room in set(rooms) - {"build", "var"}:
        assert f"| `{room}/` |" in text, room


def named_in_sources(pattern):
    rooms = ("base", "store", "auth", "api", "service")
    texts = [path.read_text() for room in rooms for path in (ROOT / room).glob("*.c")]
    return {name for text in texts for name in re.findall(pattern, text)}


def test_every_metric_and_every_log_line_is_documented():
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    metrics = named_in_sources(r'"(consentd_[a-z0-9_]+)"')
    events = named_in_sources(r'"((?:[a-z]+)\.[a-z_]+)", *LOG_|log_event\([^,;]*,\s*"([a-z]+\.[a-z_]+)"')
    events = {one or other for one, other in events}
    assert len(metrics) > 40 and len(events) > 30
    missing = {n for n in metrics | events if not re.search(rf"`{re.escape(n)}[`{{]", text)}
    assert not missing, missing
