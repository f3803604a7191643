# SPDX-License-Identifier: Apache-2.0
"""consentctl from outside: what it prints, what it refuses, and that its tokens are tokens."""

import json
import os
import subprocess

import jwt
import pytest

from harness.server import CTL

AT = "2024-04-01T00:00:00Z"
AT_S = 1711929600
URL = "https://directory.example/app/1"
ROLES = {
    "tenant": {"consents:write", "consents:read", "decisions:evaluate"},
    "client": {"consents:read", "consents:write", "decisions:evaluate"},
    "auditor": {"audit:read"},
    "admin": {"admin"},
}


def run(*arguments, **more):
    return subprocess.run([str(CTL), *arguments], capture_output=True, text=True, **more)


def token(data, *arguments):
    done = run("token", "--data", str(data), "--id", URL, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n") and done.stdout.count("\n") == 1
    return done.stdout.strip()


def claims(data, text):
    jwks = json.loads((data / "issuer" / "jwks.json").read_text())
    (jwk,) = jwks["keys"]
    assert jwt.get_unverified_header(text)["kid"] == jwk["kid"]
    return jwt.decode(
        text,
        jwt.PyJWK(jwk).key,
        algorithms=["ES256"],
        audience="consentd",
        issuer="https://issuer.consentd.invalid",
        options={"verify_exp": False, "verify_iat": False},
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_a_preset_of_scopes(tmp_path, role):
    found = claims(tmp_path, token(tmp_path, "--role", role))
    assert set(found["scope"].split()) == ROLES[role]
    assert found["client_id"] == URL
    assert found["exp"] - found["iat"] == 3600
    assert not {"member", "roles", "providers"} & set(found)


def test_every_option_reaches_its_claim(tmp_path):
    found = claims(
        tmp_path,
        token(
            tmp_path,
            *("--role", "auditor", "--member", "https://m.example", "--scope", "audit:read admin"),
            *("--roles=r1,r2", "--providers=https://a.example,https://b.example"),
            *("--ttl", "30m", "--at", AT),
        ),
    )
    assert found == {
        "iss": "https://issuer.consentd.invalid",
        "aud": "consentd",
        "sub": URL,
        "client_id": URL,
        "member": "https://m.example",
        "scope": "audit:read admin",
        "roles": ["r1", "r2"],
        "providers": ["https://a.example", "https://b.example"],
        "iat": AT_S,
        "exp": AT_S + 1800,
    }


@pytest.mark.parametrize(
    "ttl, seconds", [("1s", 1), ("90s", 90), ("30m", 1800), ("1h", 3600), ("7d", 604800)]
)
def test_the_time_to_live_has_a_unit(tmp_path, ttl, seconds):
    found = claims(tmp_path, token(tmp_path, "--role", "admin", "--ttl", ttl, "--at", AT))
    assert found["exp"] == AT_S + seconds


def test_a_scope_needs_no_role(tmp_path):
    assert claims(tmp_path, token(tmp_path, "--scope", "admin"))["scope"] == "admin"


def test_the_issuer_is_made_once_and_its_key_is_private(tmp_path):
    data = tmp_path / "new" / "data"
    first = token(data, "--role", "tenant")
    key = data / "issuer" / "private.pem"
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    second = token(data, "--role", "tenant")
    assert key.read_bytes() == before
    assert claims(data, first)["client_id"] == claims(data, second)["client_id"] == URL


GOOD = ("--data", "D", "--role", "tenant", "--id", URL)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--frob", "1"), "unknown option --frob; see consentctl token --help"),
        (("--frob=1",), "unknown option --frob; see consentctl token --help"),
        (("-x",), 'unexpected argument "-x"'),
        (("tenant",), 'unexpected argument "tenant"'),
        (("--data",), "option --data needs a value"),
        (("--data", "--role"), "option --data needs a value"),
        (("--data=",), "option --data must not be empty"),
        (
            ("--role", "tenant", "--id", URL),
            "option --data is required; see consentctl token --help",
        ),
        (
            ("--data", "D", "--role", "tenant"),
            "option --id is required; see consentctl token --help",
        ),
        (("--data", "D", "--id", URL), "option --role is required, unless --scope is given"),
        ((*GOOD, "--id", "x"), "option --id is given twice"),
        (
            ("--data", "D", "--id", URL, "--role", "root"),
            "option --role must be tenant, client, auditor or admin",
        ),
        ((*GOOD, "--ttl", "1"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--ttl", "0s"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--ttl", "-1h"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--ttl", "1w"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--ttl", "99999999999d"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--ttl", "36501d"), "option --ttl must be a time like 90s, 30m, 1h or 7d"),
        ((*GOOD, "--at", "yesterday"), "option --at must be a UTC time like 2024-03-31T23:30Z"),
        (
            (*GOOD[:-1], "a b"),
            "the id must be 1 to 256 printable characters without spaces",
        ),
        (
            (*GOOD, "--member", "é"),
            "the member must be 1 to 256 printable characters without spaces",
        ),
        (
            (*GOOD, "--providers", "a,,b"),
            "roles and providers must be 1 to 256 printable characters without spaces each",
        ),
    ],
)
def test_a_wrong_command_line_is_named_and_exits_2(tmp_path, arguments, sentence):
    done = run("token", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"consentctl token: {sentence}\n"


def test_a_directory_that_cannot_be_made_exits_1(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("token", "--data", "file/data", "--role", "admin", "--id", URL, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "consentctl token: file/data: Not a directory\n"


def test_half_an_issuer_exits_1_and_is_left_alone(tmp_path):
    (tmp_path / "issuer").mkdir()
    (tmp_path / "issuer" / "private.pem").write_text("somebody's")
    done = run("token", "--data", str(tmp_path), "--role", "admin", "--id", URL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"consentctl token: {tmp_path}/issuer: Directory not empty\n"
    assert (tmp_path / "issuer" / "private.pem").read_text() == "somebody's"


def test_a_full_disk_is_not_success(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(CTL), "token", "--data", str(tmp_path), "--role", "admin", "--id", URL],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "consentctl token: cannot write to standard output\n"


def test_help_names_every_option_and_version_a_version():
    top = run("--help")
    assert (top.returncode, top.stderr) == (0, "")
    assert "  token " in top.stdout and "Exit codes: 0 done" in top.stdout
    own = run("token", "--help")
    assert (own.returncode, own.stderr) == (0, "")
    for name in "data role id member scope providers roles ttl at".split():
        assert f"--{name} " in own.stdout
    for role, scopes in ROLES.items():
        line = next(line for line in own.stdout.splitlines() if line.split()[:1] == [role])
        assert set(line.split()[1:]) == scopes
    version = run("--version")
    assert version.returncode == 0
    assert version.stdout.startswith("consentctl ") and version.stdout.count(".") >= 1


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("frob",), "consentctl: unknown command frob; see consentctl --help\n"),
        (("--frob",), "consentctl: unknown option --frob; see consentctl --help\n"),
    ],
)
def test_an_unknown_command_is_named_and_exits_2(arguments, sentence):
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


def test_no_command_shows_the_help_and_exits_2():
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run("--help").stdout


def test_a_closed_output_is_not_success():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([str(CTL), "--help"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode != 0
