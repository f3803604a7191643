# SPDX-License-Identifier: Apache-2.0
"""The image's files against the tree that they build; `make image-test` builds and runs them."""

import re
import subprocess

import pytest
import yaml
from harness.server import ROOT, Server

DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
HEALTH = ROOT / "docker" / "health.sh"


def test_every_room_that_is_built_is_copied():
    makefile = (ROOT / "Makefile").read_text()
    rooms = re.search(r"^ROOMS := (.*)$", makefile, re.MULTILINE).group(1).split() + ["cli"]
    build = DOCKERFILE.split("\nFROM ")[1]
    for room in rooms:
        assert f"\nCOPY {room} {room}\n" in build, room
    for name in re.findall(r"^COPY (.*) \./$", build, re.MULTILINE)[0].split():
        assert (ROOT / name).exists(), name


def test_every_library_that_is_needed_to_build_is_installed():
    wanted = re.search(r'run_packages="([^"]*)"', (ROOT / "tools" / "install.sh").read_text())
    build = DOCKERFILE.split("\nFROM ")[1]
    for package in wanted.group(1).split():
        if package.endswith("-dev"):
            assert package in build, package


def test_the_image_runs_as_nobody_special_and_stops_on_sigterm():
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert "\nSTOPSIGNAL SIGTERM\n" in last
    for instruction in ("ENTRYPOINT", "CMD"):
        for form in re.findall(rf"^\s*{instruction} (.*)$", last, re.MULTILINE):
            assert form.startswith('["'), form  # no shell between the signal and the process


def test_the_compose_file_gives_away_nothing():
    service = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["consentd"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/var/lib/consentd"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert (ROOT / "docker" / service["build"]["context"] / "docker" / "Dockerfile").exists()


@pytest.fixture
def running(tmp_path):
    server = Server(tmp_path / "data").start()
    yield server
    server.stop()


def health(port):
    environment = {"CONSENTD_LISTEN": f"127.0.0.1:{port}", "PATH": "/usr/bin:/bin"}
    return subprocess.run([HEALTH], env=environment, capture_output=True, timeout=30).returncode


def test_the_health_check_passes_only_while_the_service_is_ready(running):
    port = running.port
    assert health(port) == 0
    running.stop()
    assert health(port) != 0
