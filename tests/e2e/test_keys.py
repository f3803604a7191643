# SPDX-License-Identifier: Apache-2.0
"""Key sets from URLs: fetched, cached, rotated under load, and kept when their server fails."""

import concurrent.futures
import datetime
import json
import signal
import threading

import jwt
import pytest
from conftest import NOW, NOW_S
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from harness.authority import Authorities
from harness.ca import Authority
from harness.client import Api
from harness.process import logged, metrics, until
from harness.server import Server

DIRECT = {"NO_PROXY": "127.0.0.1,localhost"}


class Scene:
    """A service and the authorization servers whose tokens it believes."""

    def __init__(self, path, authorities):
        self.path, self.authorities = path, authorities
        self.config = path / "config.json"
        self.server = Server(
            path / "data",
            clock=f"{NOW}x0",
            environment=DIRECT,
            arguments=["--config", str(self.config)],
        )

    def configure(self, *issuers, **more):
        self.config.write_text(json.dumps({"issuers": issuers, "keysCooldownSeconds": 3600, **more}))

    def start(self, *issuers, **more):
        self.configure(*issuers, **more)
        return self.server.start()

    def hurry(self):
        self.server.process.send_signal(signal.SIGHUP)

    def ask(self, token):
        with Api(self.server, None, token) as api:
            return api.get("/v1/consents")

    def status(self, token):
        return self.ask(token).status_code

    def readiness(self):
        with Api(self.server, None) as api:
            answer = api.get("/readyz")
            return answer.status_code, answer.json()

    def events(self, event):
        return [e for e in self.server.log_entries() if e["event"] == event]

    def fetches(self, outcome):
        return metrics(self.server)[f'consentd_key_fetches_total{{outcome="{outcome}"}}']


@pytest.fixture
def scene(tmp_path):
    with Authorities() as authorities:
        scene = Scene(tmp_path, authorities)
        yield scene
        scene.server.stop()


def test_keys_are_there_when_the_service_listens(scene):
    one, two = scene.authorities.add("one"), scene.authorities.add("two")
    scene.start(one.config(), two.config())
    assert scene.status(one.token(NOW_S)) == scene.status(two.token(NOW_S)) == 200
    assert (one.asked, two.asked) == (1, 1)
    status, body = scene.readiness()
    assert status == 200
    assert body["details"]["issuers"][:2] == [
        {"issuer": a.issuer, "keys": 1, "renewedAt": NOW} for a in (one, two)
    ]
    assert "renewedAt" not in body["details"]["issuers"][2]  # the development issuer: a file
    seen = metrics(scene.server)
    assert seen[f'consentd_issuer_keys{{issuer="{one.issuer}"}}'] == 1
    assert seen[f'consentd_issuer_keys_timestamp_seconds{{issuer="{one.issuer}"}}'] == NOW_S
    assert [e["issuer"] for e in scene.events("keys.renewed")] == [one.issuer, two.issuer]
    assert one.keys_url not in scene.server.stderr


def test_a_key_of_one_issuer_signs_nothing_for_another(scene):
    one, two = scene.authorities.add("one"), scene.authorities.add("two")
    two.kid = "second"
    two.keys["second"] = two.keys.pop("first")
    scene.start(one.config(), two.config())
    one.keys["second"] = two.keys["second"]
    answer = scene.ask(one.token(NOW_S, kid="second"))
    assert answer.status_code == 401
    assert "The token's kid names no key of its issuer." in answer.text


def test_a_rotated_key_is_found_by_the_token_that_names_it(scene):
    """Without a signal: the first token is refused, and has the set asked for."""
    one = scene.authorities.add("one")
    scene.start(one.config(), keysCooldownSeconds=1)
    old = one.token(NOW_S)
    assert scene.status(old) == 200
    for kid in ("second", "third"):
        one.rotate(kid)
        token = one.token(NOW_S)
        answer = scene.ask(token)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert until(scene.server, lambda t=token: scene.status(t) == 200)
    assert scene.status(old) == 401  # known by the cache until the set changed
    assert until(scene.server, lambda: metrics(scene.server)["consentd_key_sets_retired"] == 0)


def test_unknown_keys_have_the_set_asked_for_once_in_a_cool_down(scene):
    one = scene.authorities.add("one")
    scene.start(one.config())
    for number in range(15):
        assert scene.status(one.token(NOW_S, kid=f"made-up-{number}")) == 401
    # the courier has been woken by now, and has found that it is too early
    scene.hurry()
    assert until(scene.server, lambda: scene.fetches("same") == 1)
    assert one.asked == 2
    assert scene.status(one.token(NOW_S)) == 200


def test_a_set_that_has_not_changed_is_not_sent_again(scene):
    one = scene.authorities.add("one")
    scene.start(one.config())
    token = one.token(NOW_S)
    assert scene.status(token) == 200
    scene.hurry()
    assert until(scene.server, lambda: scene.fetches("same") == 1)
    assert one.not_modified == 1
    assert scene.status(token) == 200
    one.rotate("second")
    scene.hurry()
    assert until(scene.server, lambda: scene.fetches("changed") == 2)
    assert scene.status(token) == 401
    assert one.not_modified == 1


FAILURES = {
    "broken": (500, "it answered with another status than 200"),
    "rubbish": (200, "it is no JWK set with a key that can verify tokens"),
    "empty": (200, "it is no JWK set with a key that can verify tokens"),
    "no_keys": (200, "it is no JWK set with a key that can verify tokens"),
    "elsewhere": (302, "it answered with another status than 200"),
    "huge": (0, "the answer is too large"),
    "endless_head": (0, None),
    "hangs_up": (0, None),
    "hangs": (0, "Timeout was reached"),
    "slow": (0, "Timeout was reached"),
}


def test_the_last_good_set_stays_whatever_its_server_does(scene):
    """All at a time, and over a reload; then they mend their ways."""
    bad = {name: scene.authorities.add(name) for name in FAILURES}
    other = scene.authorities.add("elsewhere-2")
    scene.start(*(a.config() for a in bad.values()))
    tokens = {name: a.token(NOW_S) for name, a in bad.items()}
    assert all(scene.status(token) == 200 for token in tokens.values())
    for name, authority in bad.items():
        authority.behaviour = name
        authority.rotate("second")
    scene.hurry()  # reloads as well
    failed = logged(scene.server, "keys.not_renewed", len(FAILURES))
    assert {e["issuer"].rpartition("/")[2]: e["status"] for e in failed} == {
        name: status for name, (status, _) in FAILURES.items()
    }
    for entry in failed:
        why = FAILURES[entry["issuer"].rpartition("/")[2]][1]
        assert why is None or entry["why"] == why, entry
    assert scene.fetches("failed") >= len(FAILURES)
    assert other.asked == 0
    assert all(scene.status(token) == 200 for token in tokens.values())
    assert scene.readiness()[0] == 200
    for authority in bad.values():
        authority.behaviour = "good"
    scene.hurry()
    assert until(scene.server, lambda: scene.fetches("changed") == 2 * len(FAILURES))
    for name, authority in bad.items():
        assert scene.status(tokens[name]) == 401
        assert scene.status(authority.token(NOW_S)) == 200


def test_without_keys_it_is_not_ready(scene):
    one, two = scene.authorities.add("one"), scene.authorities.add("two")
    one.behaviour = "broken"
    scene.start(one.config(), two.config())
    status, body = scene.readiness()
    assert (status, body["checks"]["keys"]) == (503, False)
    assert [i["keys"] for i in body["details"]["issuers"]] == [0, 1, 1]
    answer = scene.ask(one.token(NOW_S))
    assert answer.status_code == 401
    assert "The keys of the token's issuer are not known yet." in answer.text
    assert scene.status(two.token(NOW_S)) == 200
    one.behaviour = "good"
    scene.hurry()
    assert until(scene.server, lambda: scene.readiness()[0] == 200)
    assert scene.status(one.token(NOW_S)) == 200


def test_a_file_holds_the_keys_until_the_url_has_answered(scene):
    one = scene.authorities.add("one")
    key_file = scene.path / "keys.json"
    key_file.write_text(one.jwks())
    one.behaviour = "hangs_up"
    scene.start(one.config(keyFile=str(key_file)))
    old = one.token(NOW_S)
    assert scene.readiness()[0] == 200
    assert scene.status(old) == 200
    one.behaviour = "good"
    one.rotate("second")
    scene.hurry()
    assert until(scene.server, lambda: scene.status(one.token(NOW_S)) == 200)
    assert scene.status(old) == 401
    # the file does not come back over what the URL has said
    one.behaviour = "hangs_up"
    reloads = len(scene.events("service.reloaded"))
    scene.hurry()
    logged(scene.server, "service.reloaded", reloads + 1)
    assert (scene.status(old), scene.status(one.token(NOW_S))) == (401, 200)


# ---- over a restart


def kept(scene):
    """The files in which sets are kept."""
    return sorted((scene.server.data / "issuers").iterdir())


def outage(scene, *authorities, later_s=0):
    """A restart, after so long, while nobody answers."""
    scene.server.stop()
    for authority in authorities:
        authority.behaviour = "hangs_up"
    then = datetime.datetime.fromisoformat(NOW) + datetime.timedelta(seconds=later_s)
    scene.server.clock = f"{then:%Y-%m-%dT%H:%M:%SZ}x0"
    scene.server.start()


def test_the_last_good_set_stays_over_a_restart(scene):
    """Of each place, as its URL gave it; and it is news again when the URL answers."""
    one, two = scene.authorities.add("one"), scene.authorities.add("two")
    two.rotate("of-two")
    scene.start(one.config(), discovering(two))
    one.rotate("second")
    scene.hurry()
    assert until(scene.server, lambda: scene.status(one.token(NOW_S)) == 200)
    outage(scene, one, two, later_s=1800)
    assert [e["issuer"] for e in scene.events("keys.kept")] == [one.issuer, two.issuer]
    assert [(e["keys"], e["age_s"]) for e in scene.events("keys.kept")] == [(1, 1800)] * 2
    status, body = scene.readiness()
    assert (status, [i["keys"] for i in body["details"]["issuers"]]) == (200, [1, 1, 1])
    assert [i.get("renewedAt") for i in body["details"]["issuers"]] == [NOW, NOW, None]
    assert scene.status(one.token(NOW_S)) == scene.status(two.token(NOW_S)) == 200
    assert scene.status(one.token(NOW_S, kid="first")) == 401
    assert scene.status(two.token(NOW_S, kid="second")) == 401
    one.behaviour = "good"
    one.rotate("third")
    scene.hurry()
    assert until(scene.server, lambda: scene.status(one.token(NOW_S)) == 200)
    assert scene.status(one.token(NOW_S, kid="second")) == 401


@pytest.mark.parametrize("later_s,status", [(86400, 200), (86401, 401)])
def test_a_kept_set_is_believed_for_a_day(scene, later_s, status):
    one = scene.authorities.add("one")
    scene.start(one.config())
    outage(scene, one, later_s=later_s)
    assert scene.status(one.token(NOW_S, exp=NOW_S + 100000)) == status
    assert scene.readiness()[0] == (200 if status == 200 else 503)


def test_the_day_begins_anew_whenever_the_url_says_the_same(scene):
    """Also in few words (304), of which nothing could be kept: then the whole is asked for."""
    one = scene.authorities.add("one")
    scene.start(one.config())
    [file] = kept(scene)
    first = file.read_bytes()
    file.write_bytes(first.replace(f"\n{NOW_S}\n".encode(), b"\n1\n"))
    assert file.read_bytes() != first
    scene.hurry()
    assert until(scene.server, lambda: file.read_bytes() == first)
    assert one.not_modified == 1
    file.unlink()
    scene.hurry()
    [entry] = logged(scene.server, "keys.not_kept")
    assert (entry["issuer"], entry["why"]) == (one.issuer, "No such file or directory")
    scene.hurry()
    assert until(scene.server, file.exists)
    assert file.read_bytes() == first
    assert one.not_modified == 2
    assert file.stat().st_mode & 0o777 == 0o600


def weak(text):
    """A set with an RSA key of 1,024 bits alone."""
    key = rsa.generate_private_key(65537, 1024).public_key()
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key))
    return text[: text.index(b"{")] + json.dumps({"keys": [{**jwk, "alg": "PS256"}]}).encode()


SPOILED = {
    "empty": lambda text: b"",
    "cut in the head": lambda text: text[:30],
    "cut in the set": lambda text: text[:-20],
    "without a set": lambda text: text[: text.index(b"{")],
    "of another version": lambda text: text.replace(b"set 1", b"set 2"),
    "of another issuer": lambda text: text.replace(b"/one\n", b"/two\n"),
    "from another place": lambda text: text.replace(b"/jwks\n", b"/keys\n"),
    "by plain HTTP": lambda text: text.replace(b"/jwks\n\n\n", b"/jwks\n\nplain HTTP allowed\n"),
    "of tomorrow": lambda text: text.replace(b"\n%d\n" % NOW_S, b"\n%d\n" % (NOW_S + 1)),
    "of no time": lambda text: text.replace(b"\n%d\n" % NOW_S, b"\n-1\n"),
    "with a member twice": lambda text: text.replace(b'{"keys"', b'{"keys": [], "keys"'),
    "a weak key": weak,
    "larger than any": lambda text: text + b" " * 300000,
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_is_kept_is_believed_no_more_than_what_is_fetched(scene, case):
    one = scene.authorities.add("one")
    scene.start(one.config())
    [file] = kept(scene)
    spoiled = SPOILED[case](file.read_bytes())
    assert spoiled != file.read_bytes()
    scene.server.stop()
    file.write_bytes(spoiled)
    outage(scene, one)
    assert not scene.events("keys.kept")
    assert scene.readiness()[0] == 503
    assert "not known yet" in scene.ask(one.token(NOW_S)).text
    one.behaviour = "good"
    scene.hurry()
    assert until(scene.server, lambda: scene.status(one.token(NOW_S)) == 200)
    outage(scene, one)
    assert scene.status(one.token(NOW_S)) == 200


def test_a_kept_set_is_read_by_the_configuration_of_today(scene):
    """Another place, or another way there, is another source; RS256 is asked of each key."""
    one = scene.authorities.add("one")
    scene.start(one.config())
    scene.configure(one.config(insecureHttp=True))
    outage(scene, one)
    assert scene.status(one.token(NOW_S)) == 401
    scene.configure(one.config(allowRs256=True))
    outage(scene, one)
    assert scene.status(one.token(NOW_S)) == 200


def test_a_start_with_kept_keys_waits_for_nobody(scene):
    one = scene.authorities.add("one")
    scene.start(one.config())
    one.behaviour = "hangs"
    scene.server.stop()
    scene.server.start()
    assert not scene.events("keys.not_renewed")  # nobody has been given up
    assert scene.status(one.token(NOW_S)) == 200
    assert until(scene.server, lambda: one.asked == 2)  # but asked


def test_where_nothing_can_be_kept_it_serves_all_the_same(scene):
    one = scene.authorities.add("one")
    scene.server.data.mkdir()
    (scene.server.data / "issuers").write_text("in the way")
    scene.start(one.config())
    assert scene.status(one.token(NOW_S)) == 200
    scene.hurry()
    scene.hurry()
    assert until(scene.server, lambda: scene.fetches("same") >= 1)
    assert [e["why"] for e in scene.events("keys.not_kept")] == ["Not a directory"]


def test_another_url_or_issuer_comes_with_a_reload(scene):
    one, two = scene.authorities.add("one"), scene.authorities.add("two")
    scene.start(one.config())
    assert (scene.status(one.token(NOW_S)), scene.status(two.token(NOW_S))) == (200, 401)
    scene.configure(two.config(), {**one.config(), "keysUrl": two.keys_url})
    scene.hurry()
    assert until(scene.server, lambda: scene.status(two.token(NOW_S)) == 200)
    assert until(scene.server, lambda: scene.fetches("changed") == 3)
    assert scene.status(one.token(NOW_S)) == 401  # another URL, and not its key
    scene.configure()
    scene.hurry()
    assert until(scene.server, lambda: scene.status(two.token(NOW_S)) == 401)


def test_keys_rotate_under_load_and_old_sets_go(scene):
    one = scene.authorities.add("one")
    steady = scene.authorities.add("steady")
    scene.start(one.config(), steady.config())
    tokens = [steady.token(NOW_S, client=f"https://client.example/{n}") for n in range(50)]
    over = threading.Event()

    def load(share):
        count = 0
        with Api(scene.server, None) as api:
            while not over.is_set():
                answer = api.get("/v1/consents", token=share[count % len(share)])
                assert answer.status_code == 200, answer.text
                count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load, tokens[:25]), pool.submit(load, tokens[25:])]
        for number in range(60):
            one.rotate(f"rotated-{number}")
            changed = scene.fetches("changed")
            scene.hurry()
            assert until(scene.server, lambda n=changed: scene.fetches("changed") > n)
            assert scene.status(one.token(NOW_S)) == 200
        over.set()
        assert all(load.result() > 60 for load in loads)
    assert until(scene.server, lambda: metrics(scene.server)["consentd_key_sets_retired"] == 0)


def test_a_server_that_hangs_does_not_hold_up_the_stop(scene):
    one = scene.authorities.add("one")
    scene.start(one.config())
    one.behaviour = "hangs"
    asked = one.asked
    scene.hurry()
    assert until(scene.server, lambda: one.asked > asked)
    scene.server.stop()
    assert not scene.events("keys.not_renewed")


# ---- discovery


def discovering(authority, **more):
    config = authority.config(discovery=True, **more)
    del config["keysUrl"]
    return config


def test_metadata_tell_where_the_keys_are(scene):
    rfc, oidc = scene.authorities.add("rfc"), scene.authorities.add("oidc")
    liar, far = scene.authorities.add("liar"), scene.authorities.add("far")
    oidc.behaviour = "oidc_only"
    oidc.metadata["jwks_uri"] = rfc.keys_url
    oidc.keys = rfc.keys
    liar.metadata["issuer"] = rfc.issuer
    far.metadata["jwks_uri"] = "http://192.0.2.1/jwks"
    scene.start(*(discovering(a) for a in (rfc, oidc, liar, far)))
    assert scene.status(rfc.token(NOW_S)) == scene.status(oidc.token(NOW_S)) == 200
    assert scene.status(liar.token(NOW_S)) == scene.status(far.token(NOW_S)) == 401
    assert (rfc.asked, liar.asked, far.asked) == (2, 0, 0)
    assert {e["issuer"].rpartition("/")[2]: e["why"] for e in scene.events("keys.not_renewed")} == {
        "liar": "the metadata are those of another issuer",
        "far": "the jwks_uri of its metadata may not be asked",
    }
    rfc.rotate("second")
    scene.hurry()
    assert until(scene.server, lambda: scene.status(rfc.token(NOW_S)) == 200)


# ---- HTTPS


def test_https_is_verified_against_the_configured_authorities_alone(tmp_path):
    ca, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger", name="stranger")
    usage = (ExtendedKeyUsageOID.SERVER_AUTH,)
    wrong = ca.issue("server", names=[x509.DNSName("elsewhere.example")], usage=usage)
    with Authorities(ca.server()) as right, Authorities(wrong) as misnamed:
        names = ("good", "stranger", "system", "misnamed")
        good, by_stranger, by_system = (right.add(name) for name in names[:3])
        elsewhere = misnamed.add("misnamed")
        scene = Scene(tmp_path, right)
        scene.start(
            good.config(caFile=str(ca.certificate)),
            by_stranger.config(caFile=str(stranger.certificate)),
            by_system.config(),
            elsewhere.config(caFile=str(ca.certificate)),
        )
        assert scene.status(good.token(NOW_S)) == 200
        for authority in (by_stranger, by_system, elsewhere):
            assert scene.status(authority.token(NOW_S)) == 401
            assert authority.asked == 0
        failed = {e["issuer"].rpartition("/")[2]: e["why"] for e in scene.events("keys.not_renewed")}
        assert failed == {
            name: "SSL peer certificate or SSH remote key was not OK" for name in names[1:]
        }
        scene.server.stop()


def test_a_reload_while_a_server_with_authorities_of_its_own_hangs(tmp_path):
    """What is being asked outlives the configuration that named it."""
    ca = Authority(tmp_path / "ca")
    with Authorities(ca.server()) as authorities:
        one = authorities.add("one")
        scene = Scene(tmp_path, authorities)
        config = one.config(caFile=str(ca.certificate))
        scene.start(config)
        one.behaviour = "hangs"
        scene.hurry()
        assert until(scene.server, lambda: one.asked == 2)
        logged(scene.server, "service.reloaded")
        scene.hurry()
        logged(scene.server, "service.reloaded", 2)
        [failed] = logged(scene.server, "keys.not_renewed")
        assert failed["issuer"] == one.issuer
        assert scene.status(one.token(NOW_S)) == 200
        scene.server.stop()
