# SPDX-License-Identifier: Apache-2.0
"""Certificates, keys, authorities and revocation lists are replaced while the service runs."""

import datetime
import os
import pathlib
import subprocess

import pytest
from conftest import NOW
from harness.ca import Authority
from harness.frames import Frames
from harness.house import House, asked, refusal
from harness.process import logged, metrics
from harness.server import BINARY
from harness.wire import Wire, request

APP = "https://directory.example/app/reload"
DAY = datetime.timedelta(days=1)
TODAY = datetime.datetime.fromisoformat(NOW)
HEALTH = request("GET", "/healthz")


@pytest.fixture
def house(new_server, tmp_path):
    def make(**options):
        return House(new_server, tmp_path, **options)

    return make


def shown(wire):
    """The fingerprint of the certificate that the server showed."""
    import hashlib

    return hashlib.sha256(wire.socket.getpeercert(binary_form=True)).hexdigest()


def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_live_on(house):
    home = house()
    pair = home.ca.client(APP)
    with Wire(home.mutual(pair)) as old, Frames(home.public(alpn=("h2",))) as h2:
        assert old.ask(HEALTH).status_code == 200
        before = shown(old)
        assert before == home.pair.sha256
        new = home.ca.server(key="rsa")
        for element in home.config["listeners"]:
            element.update(certFile=str(new.certificate), keyFile=str(new.key))
        home.reload()
        for door in (home.mutual(pair), home.public()):
            with Wire(door) as wire:
                assert shown(wire) == new.sha256
                assert wire.ask(HEALTH).status_code == 200
        assert old.ask(HEALTH).status_code == 200
        stream = h2.open("GET", "/healthz")
        h2.flush()
        assert h2.answer(stream)[0] == 200


def test_the_same_files_are_read_again(house):
    """What certbot and its like do: new content under the old name."""
    home = house()
    new = home.ca.server()
    home.pair.certificate.write_bytes(new.certificate.read_bytes())
    home.pair.key.write_bytes(new.key.read_bytes())
    home.reload()
    with Wire(home.public()) as wire:
        assert shown(wire) == new.sha256
        assert wire.ask(HEALTH).status_code == 200


@pytest.mark.parametrize("http2", (False, True))
def test_a_certificate_revoked_since_opens_nothing_on_a_live_connection(house, http2):
    """It is judged anew at the next request; others on the same list go on."""
    home = house(crlFile=True)
    bad, good = home.ca.client(APP), home.ca.client(APP)
    token = home.minter.tenant("https://directory.example/reload")
    consents = request("GET", "/v1/consents", token)
    with Wire(home.mutual(good)) as other:
        assert other.ask(consents).status_code == 200
        if http2:
            with Frames(home.mutual(bad, alpn=("h2",))) as frames:
                stream = frames.open("GET", "/v1/consents", token)
                frames.flush()
                assert frames.answer(stream)[0] == 200
                home.revoke(bad)
                stream = frames.open("GET", "/v1/consents", token)
                frames.flush()
                status, _, body = frames.answer(stream)
                assert status == 401 and b'"cause":"revoked"' in body
                while not frames.closed:
                    frames.events()
        else:
            with Wire(home.mutual(bad)) as wire:
                assert wire.ask(consents).status_code == 200
                home.revoke(bad)
                assert refusal(wire.ask(consents), "revoked")
                assert wire.at_end()
        assert other.ask(consents).status_code == 200


def test_an_authority_that_is_no_longer_believed_ends_live_connections(house):
    home = house()
    other = Authority(home.folder / "other", "another authority")
    both = home.folder / "both.pem"
    both.write_bytes(home.ca.certificate.read_bytes() + other.certificate.read_bytes())
    home.config["listeners"][0]["clientCaFile"] = str(both)
    home.reload()
    with Wire(home.mutual(other.client(APP))) as wire, Wire(home.mutual(home.ca.client(APP))) as own:
        assert wire.ask(HEALTH).status_code == own.ask(HEALTH).status_code == 200
        both.write_bytes(home.ca.certificate.read_bytes())
        home.reload()
        assert refusal(wire.ask(HEALTH), "unknown_ca")
        assert own.ask(HEALTH).status_code == 200


def until_refused(wire):
    answer = wire.ask(HEALTH)
    assert answer.status_code == 200
    while answer.status_code == 200:
        answer = wire.ask(HEALTH)
    return answer


def test_a_certificate_that_expires_meanwhile_opens_nothing(house):
    """The clock runs a day in a second of the test's time: no connection is reloaded for it."""
    home = house(clock=f"{NOW}x86400")
    pair = home.ca.client(APP, until=TODAY + 3650 * DAY)
    brief = home.ca.client(APP, until=TODAY + 2 * DAY)
    with Wire(home.mutual(pair)) as good, Wire(home.mutual(brief)) as wire:
        assert refusal(until_refused(wire), "expired")
        assert good.ask(HEALTH).status_code == 200


def test_a_list_that_runs_out_is_none_for_live_connections_too(house):
    home = house(clock=f"{NOW}x86400")
    brief = home.ca.write_crl(until=TODAY + 2 * DAY, file=home.folder / "brief.crl")
    home.config["listeners"][0]["crlFile"] = str(brief)
    home.reload()
    with Wire(home.mutual(home.ca.client(APP, until=TODAY + 30 * DAY))) as wire:
        assert refusal(until_refused(wire), "crl")
        assert wire.at_end()


def test_an_authority_that_expires_meanwhile_vouches_for_nobody(house):
    home = house(clock=f"{NOW}x86400")
    between = Authority(home.folder / "between", "between", parent=home.ca, until=TODAY + 2 * DAY)
    other = home.ca.client(APP, until=TODAY + 30 * DAY)
    with Wire(home.mutual(other)) as good:
        with Wire(home.mutual(between.client(APP, until=TODAY + 30 * DAY))) as wire:
            assert refusal(until_refused(wire), "expired")
            assert wire.at_end()
        assert good.ask(HEALTH).status_code == 200


def test_addresses_and_kinds_stay_until_a_restart(house):
    home = house()
    home.config["listeners"][0]["address"] = "127.0.0.1:1"
    home.reload()
    (line,) = logged(home.server, "service.restart_needed")
    assert line["key"] == "listeners"
    assert asked(home.mutual(home.ca.client(APP))).status_code == 200


# ---- what is refused, at the start, at a reload and by --check-config alike


def _garbage(path):
    path.write_text("-----BEGIN nothing\n")


def _other_key(home):
    home.pair.key.write_bytes(home.ca.server().key.read_bytes())


def _crl(home, content):
    path = home.folder / "lists.crl"
    path.write_bytes(content)
    home.config["listeners"][0]["crlFile"] = str(path)


def _forged_crl(home):
    forger = Authority(home.folder / "forger", home.ca.name)
    _crl(home, forger.write_crl().read_bytes())


FAULTS = {
    "another key": (
        _other_key,
        "keyFile",
        "is not the key of the certificate in certFile",
    ),
    "a missing key": (
        lambda home: home.pair.key.unlink(),
        "keyFile",
        "No such file or directory",
    ),
    "a key open to others": (
        lambda home: home.pair.key.chmod(0o644),
        "keyFile",
        "is open to others: its mode must give them nothing, and its group no more than reading",
    ),
    "a key its group may write": (
        lambda home: home.pair.key.chmod(0o660),
        "keyFile",
        "is open to others: its mode must give them nothing, and its group no more than reading",
    ),
    "a key that is none": (
        lambda home: _garbage(home.pair.key),
        "keyFile",
        "is not a private key in PEM without password",
    ),
    "a missing certificate": (
        lambda home: home.pair.certificate.unlink(),
        "certFile",
        "No such file or directory",
    ),
    "a certificate that is none": (
        lambda home: _garbage(home.pair.certificate),
        "certFile",
        "is not a certificate chain in PEM",
    ),
    "missing authorities": (
        lambda home: home.ca.certificate.unlink(),
        "clientCaFile",
        "No such file or directory",
    ),
    "authorities without a root": (
        lambda home: home.ca.certificate.write_bytes(home.pair.pem),
        "clientCaFile",
        "holds no root certificate of an authority",
    ),
    "an empty list": (
        lambda home: _crl(home, b""),
        "crlFile",
        "holds no list of /CN=consentd test authority",
    ),
    "a list of another authority": (
        lambda home: _crl(home, Authority(home.folder / "o", "other").write_crl().read_bytes()),
        "crlFile",
        "holds no list of /CN=consentd test authority",
    ),
    "a list that its authority did not sign": (
        _forged_crl,
        "crlFile",
        "holds a list that is not signed by its authority",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_files_that_do_not_fit_are_refused_and_nothing_changes(house, case):
    spoil, member, phrase = FAULTS[case]
    home = house()
    pair = home.ca.client(APP)
    context = home.ca.context(pair)
    spoil(home)
    home.server.reload()
    (line,) = logged(home.server, "service.reload_refused")
    assert line["why"].startswith(f'config: "listeners[0].{member}": ')
    assert line["why"].endswith(": " + phrase)
    assert asked(home.server.door("mutual", context)).status_code == 200
    path = home.server.write_config()
    command = [BINARY, "--dev", "--config", path, "--data", home.folder / "none"]
    for more, code in ((["--check-config"], 1), ([], 1)):
        result = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60)
        assert result.returncode == code
        assert phrase in result.stderr


def test_a_group_may_read_the_key(house):
    home = house()
    os.chmod(home.pair.key, 0o640)
    home.reload()
    path = home.server.write_config()
    command = [BINARY, "--dev", "--check-config", "--config", path, "--data", home.folder / "none"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "configuration ok\n")


@pytest.mark.parametrize("days, warned", ((31, None), (29, 29), (-1, -1)))
def test_an_own_certificate_that_runs_out_is_warned_of(house, days, warned):
    """It is served all the same: clients see it, and it can be replaced."""
    home = house()
    pair = home.ca.server(until=TODAY + days * DAY)
    home.config["listeners"][1].update(certFile=str(pair.certificate), keyFile=str(pair.key))
    home.reload()
    lines = [e for e in home.server.log_entries() if e["event"] == "tls.certificate_expires"]
    assert [line["days"] for line in lines] == ([warned] if warned else [])
    left = 'consentd_tls_certificate_expiry_seconds{address="%s"}' % home.address("public")
    assert metrics(home.server)[left] == days * 86400


def test_nothing_of_a_key_is_ever_logged(house):
    home = house()
    _garbage(home.pair.key)
    home.server.reload()
    logged(home.server, "service.reload_refused")
    assert "PRIVATE" not in home.server.stderr
    assert pathlib.Path(home.pair.key).name in home.server.stderr
