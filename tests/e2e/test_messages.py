# SPDX-License-Identifier: Apache-2.0
"""Withdrawal messages: from the revocation through the outbox to a real receiver over mutual TLS,
past receivers that hang, refuse, answer rubbish or show a wrong certificate, past kill -9 and
restarts; and what is never sent."""

import base64
import datetime
import threading
import time
import uuid

import pytest
from cryptography import x509
from harness import bodies
from harness.audit import Auditor, read_log
from harness.ca import Authority
from harness.client import Api, refused
from harness.mailbox import Mailbox
from harness.process import metrics, until
from harness.tokens import Minter

EDP = "https://directory.example/messages/member/edp"
EDP_APP = "https://directory.example/messages/application/edp"
OTHER = "https://directory.example/messages/member/other"
RETRY = {"messageRetrySeconds": 1}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Post:
    """A server with a tenant's certificate, and applications that take messages."""

    def __init__(self, new_server, folder, **config):
        self.ca = Authority(folder / "ca")
        self.box = Mailbox(self.ca)
        self.pair = self.ca.client(EDP_APP)
        self.tenant = {
            "tenant": EDP,
            "oauthIssuer": "https://auth.example",
            "certFile": str(self.pair.certificate),
            "keyFile": str(self.pair.key),
        }
        self.config = {"messageCaFile": str(self.ca.certificate), "tenants": [self.tenant], **RETRY}
        self.config.update(config)
        self.server = new_server(config=self.config)
        self.minter = Minter(self.server.data, int(time.time()))

    def api(self, token=None):
        return Api(self.server, self.minter, token or self.minter.tenant(EDP))

    def granted(self, name, box=None, tenant=None):
        with self.api(tenant and self.minter.tenant(tenant)) as api:
            app = (box or self.box).application(name)
            return api.create(bodies.consent(app, now(), account=str(uuid.uuid4())))

    def withdraw(self, consent, token, code="withdrawn", expect=200, by=None):
        with self.api(by) as api:
            body = {"reason": {"code": code}, "invalidatedToken": token}
            response = api.post(f"/v1/consents/{consent['consentId']}/revoke", body)
            assert response.status_code == expect, response.text
            return response

    def message(self, consent):
        """What the tenant's feed says of its message."""
        with self.api() as api:
            items = api.get("/v1/changes", params={"limit": 500}).json()["items"]
        mine = [i for i in items if i["consentId"] == consent["consentId"]]
        return [i.get("withdrawalMessage") for i in mine][-1]

    def entries(self, event):
        with self.api(self.minter.auditor()) as auditor:
            entries = read_log(auditor)
        Auditor().feed(entries)
        return [e for e in entries if e["event"] == event]

    def until_message(self, consent, state):
        until(self.server, lambda: self.message(consent) == state)


@pytest.fixture
def post(new_server, tmp_path):
    made = []

    def make(**config):
        made.append(Post(new_server, tmp_path, **config))
        return made[-1]

    yield make
    for one in made:
        one.box.close()


def body_with(token):
    return {
        "ib1:message": "https://registry.core.trust.ib1.org/trust-framework",
        "subject": "https://registry.trust.ib1.org/message/withdrawal-of-permission/2025-03-16",
        "body": {"token": token},
    }


def remnants(data, secret):
    """Files below data in which the secret stands, as it is or encoded."""
    needles = (secret.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode())
    return [
        path.name
        for path in data.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


def test_a_message_goes_to_whom_the_directory_names_over_mutual_tls(post):
    house = post()
    consent, token = house.granted("one"), "refresh-" + uuid.uuid4().hex + '"ä'
    ended = house.withdraw(consent, token).json()
    house.box.wait(lambda: house.box.taken)
    assert house.box.taken == [("one", [EDP_APP], "application/json", body_with(token))]
    house.until_message(consent, "sent")
    [sent] = house.entries("delivery.sent")
    assert sent["payload"]["consentId"] == consent["consentId"]
    assert sent["payload"]["actor"] == {"role": "system"}
    body = sent["payload"]["body"]
    assert body["ending"] == ended["logIndex"] and body["endpoint"] == house.box.endpoint("one")
    assert body["attempts"] == 1 and body["status"] == 200
    now_ = metrics(house.server)
    assert now_["consentd_messages_waiting"] == 0
    assert now_['consentd_messages_total{outcome="sent"}'] == 1
    assert token not in house.server.stderr
    house.server.stop()
    assert remnants(house.server.data, token[:-2]) == []


def test_while_it_waits_the_token_stands_nowhere_in_the_clear(post):
    house = post(messageRetrySeconds=3600)
    house.box.manners["one"] = "refuse"
    consent, token = house.granted("one"), "refresh-" + uuid.uuid4().hex
    house.withdraw(consent, token)
    house.box.wait(lambda: house.box.tried)
    until(house.server, lambda: metrics(house.server)["consentd_messages_waiting"] == 1)
    assert house.message(consent) == "waiting"
    with house.api(house.minter.auditor()) as auditor:
        assert token not in str(read_log(auditor))
    assert token not in house.server.stderr
    house.server.stop()
    assert remnants(house.server.data, token) == []


@pytest.mark.parametrize("manner", ["refuse", "rubbish", "drop", "redirect"])
def test_who_does_not_take_it_is_asked_again_until_it_does(post, manner):
    house = post()
    house.box.manners["one"] = manner
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.box.wait(lambda: len(house.box.tried) >= 3)
    assert house.message(consent) == "waiting"
    house.box.manners["one"] = "take"
    house.until_message(consent, "sent")
    [sent] = house.entries("delivery.sent")
    assert sent["payload"]["body"]["attempts"] == len(house.box.tried) >= 4
    assert [m[0] for m in house.box.taken] == ["one"]
    assert "elsewhere" not in house.box.tried
    assert house.entries("delivery.failed") == []


@pytest.mark.parametrize("manner", ["break", "flood", "drip"])
def test_who_said_that_it_took_it_is_not_sent_it_again(post, manner):
    """Whatever becomes of the rest of its answer."""
    house = post()
    house.box.manners["one"] = manner
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.until_message(consent, "sent")
    [sent] = house.entries("delivery.sent")
    assert sent["payload"]["body"]["status"] == 200 and sent["payload"]["body"]["attempts"] == 1
    assert len(house.box.tried) == 1


def test_half_a_head_says_nothing(post):
    house = post()
    house.box.manners["one"] = "cut"
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.box.wait(lambda: len(house.box.taken) >= 2)
    assert house.message(consent) == "waiting"
    house.box.manners["one"] = "take"
    house.until_message(consent, "sent")


def test_one_that_hangs_keeps_nobody_else_waiting_for_long(post):
    house = post()
    house.box.manners["stuck"] = "hang"
    stuck = [house.granted("stuck") for _ in range(6)]
    for number, consent in enumerate(stuck):
        house.withdraw(consent, f"stuck-{number}")
    house.box.wait(lambda: house.box.tried)
    good = [house.granted(f"good-{number}") for number in range(20)]
    for number, consent in enumerate(good):
        house.withdraw(consent, f"good-{number}")
    house.box.wait(lambda: len(house.box.taken) == 20)
    assert {m[3]["body"]["token"] for m in house.box.taken} == {f"good-{n}" for n in range(20)}
    assert house.message(stuck[0]) == "waiting"


def test_a_receiver_that_is_not_whom_it_says_gets_nothing(post, tmp_path):
    house = post()
    stranger = Authority(tmp_path / "stranger")
    false = Mailbox(house.ca, server_pair=stranger.server())
    try:
        consent = house.granted("one", box=false)
        house.withdraw(consent, "token-1")
        failed = lambda: metrics(house.server)['consentd_messages_total{outcome="failed"}'] >= 2  # noqa: E731
        until(house.server, failed)
        assert false.fetched == [] and false.tried == []
        assert house.message(consent) == "waiting"
    finally:
        false.close()


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_an_endpoint_that_is_not_whom_it_says_gets_nothing(post, tmp_path, wrong):
    """Though the Directory names it: the token must not reach who took over an address."""
    house = post()
    if wrong == "authority":
        pair = Authority(tmp_path / "stranger").server()
    else:
        pair = house.ca.server(names=[x509.DNSName("receiver.example")])
    false = Mailbox(house.ca, server_pair=pair)
    try:
        house.box.documents["one"] = {"ib1:messageDelivery": false.endpoint("one")}
        consent = house.granted("one")
        house.withdraw(consent, "token-1")
        failed = lambda: metrics(house.server)['consentd_messages_total{outcome="failed"}'] >= 2  # noqa: E731
        until(house.server, failed)
        assert house.box.fetched == ["one"] and false.tried == []
        assert house.message(consent) == "waiting"
    finally:
        false.close()


def test_what_the_directory_says_is_kept_as_long_as_it_says(post):
    house = post()
    house.box.headers["kept"] = [("Cache-Control", "max-age=3600")]
    for name in ("kept", "kept", "kept"):
        house.withdraw(house.granted(name), f"token-{uuid.uuid4()}")
        house.box.wait(lambda: len(house.box.taken) == len(house.box.tried))
    house.box.wait(lambda: len(house.box.taken) == 3)
    assert house.box.fetched == ["kept"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        b"{",
        b'{"ib1:messageDelivery":"https://127.0.0.1/","ib1:messageDelivery":"https://127.0.0.1/"}',
        {},
        {"ib1:messageDelivery": 7},
        {"ib1:messageDelivery": "http://collector.example/messages"},
        {"ib1:messageDelivery": "http://127.0.0.1:1/messages"},
        {"ib1:messageDelivery": "ftp://127.0.0.1/"},
        {"ib1:messageDelivery": "https://user@127.0.0.1/"},
        {"ib1:messageDelivery": "https://127.0.0.1/" + "x" * 300},
        b"[" * 70000,
    ],
)
def test_a_document_that_names_no_place_is_asked_for_again(post, document):
    house = post()
    house.box.documents["one"] = document
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.box.wait(lambda: len(house.box.fetched) >= 2)
    assert house.box.tried == [] and house.message(consent) == "waiting"
    del house.box.documents["one"]
    house.box.wait(lambda: house.box.taken)


def test_after_so_long_it_is_given_up_and_its_tenant_is_told(post):
    house = post(messageGiveUpSeconds=2)
    house.box.manners["one"] = "refuse"
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.until_message(consent, "failed")
    [failed] = house.entries("delivery.failed")
    body = failed["payload"]["body"]
    assert body["cause"] == "it did not take the message" and body["status"] == 500
    assert body["attempts"] == len(house.box.tried) >= 2
    now_ = metrics(house.server)
    assert now_["consentd_messages_waiting"] == 0
    assert now_['consentd_messages_total{outcome="given_up"}'] == 1
    # the tenant may try once more
    house.box.manners["one"] = "take"
    again = house.withdraw(consent, "token-1").json()
    assert again["status"] == "revoked"
    house.until_message(consent, "sent")
    assert len(house.box.taken) == 1


def test_kill_and_restart_lose_no_message(post):
    """At least once: what was not settled goes again."""
    house = post()
    house.box.manners["one"] = "hang"
    consents = [house.granted("one") for _ in range(3)]
    for number, consent in enumerate(consents):
        house.withdraw(consent, f"token-{number}")
    house.box.wait(lambda: house.box.tried)
    house.server.kill()
    house.box.manners["one"] = "take"
    house.server.start()
    house.box.wait(lambda: len({m[3]["body"]["token"] for m in house.box.taken}) == 3)
    for consent in consents:
        house.until_message(consent, "sent")
    house.server.stop()
    house.server.start()
    assert house.message(consents[0]) == "sent"
    assert len(house.entries("delivery.sent")) == 3


def test_killed_between_taking_and_settling_it_goes_once_more_and_never_again(post):
    house = post()
    answered, down = threading.Event(), threading.Event()

    def before():
        assert answered.wait(60)
        house.server.kill()
        down.set()

    house.box.before["one"] = before
    consent, token = house.granted("one"), "refresh-" + uuid.uuid4().hex
    house.withdraw(consent, token)
    answered.set()
    assert down.wait(60)
    del house.box.before["one"]
    house.server.start()
    house.until_message(consent, "sent")
    [sent] = house.entries("delivery.sent")
    assert sent["payload"]["body"]["attempts"] == 1  # the one that is known
    house.server.kill()
    house.server.start()
    last = house.granted("last")
    house.withdraw(last, "token-2")
    house.until_message(last, "sent")
    assert [(m[0], m[3]["body"]["token"]) for m in house.box.taken] == [
        ("one", token),
        ("one", token),
        ("last", "token-2"),
    ]
    assert len(house.entries("delivery.sent")) == 2
    house.server.stop()
    assert remnants(house.server.data, token) == []


def test_killed_before_it_was_sent_it_goes_once(post):
    house = post(tenants=[])
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    house.server.kill()
    house.server.config["tenants"] = [house.tenant]
    house.server.start()
    house.until_message(consent, "sent")
    assert len(house.box.tried) == 1


def one_that_hangs(post):
    house = post()
    house.box.manners["one"] = "hang"
    house.withdraw(house.granted("one"), "token-1")
    house.box.wait(lambda: house.box.tried)
    return house


def test_a_stop_waits_for_nobody_who_hangs(post):
    one_that_hangs(post).server.stop()


def test_a_start_waits_for_nobody_who_hangs(post):
    """An application could otherwise hold up each restart of whoever owes it a message."""
    house = one_that_hangs(post)
    house.server.kill()
    house.server.start()
    assert metrics(house.server)['consentd_messages_total{outcome="failed"}'] == 0
    house.box.wait(lambda: len(house.box.tried) == 2)


def test_what_the_client_ended_is_no_news_to_it(post):
    house = post()
    app = house.minter.client(house.box.application("one"))
    by_client, at_client, plain = (house.granted("one") for _ in range(3))
    refused(house.withdraw(by_client, "t", by=app, expect=403), 403, "insufficient-scope")
    with house.api(app) as api:
        api.end(by_client["consentId"], "withdrawnAtClient")
        body = {"code": "withdrawnAtClient", "by": {"role": "accountHolder"}}
        api.post(f"/v1/consents/{plain['consentId']}/revoke", {"reason": body})
    house.withdraw(at_client, "token-2", code="withdrawnAtClient")
    for consent in (by_client, at_client, plain):
        assert house.message(consent) is None
    last = house.granted("last")
    house.withdraw(last, "token-3")
    house.until_message(last, "sent")
    assert [m[0] for m in house.box.taken] == ["last"]


def test_a_token_of_another_arrangement_is_not_shown_to_this_client(post):
    house = post()
    mine, other = house.granted("one"), house.granted("two")
    with house.api() as api:
        for consent, token in ((mine, "mine"), (other, "other's")):
            body = {"tokens": [bodies.token(token, now(), "2049-01-01T00:00:00.000Z")]}
            answer = api.post(f"/v1/consents/{consent['consentId']}/tokens", body)
            assert answer.status_code == 200, answer.text
    refused(house.withdraw(mine, "other's", expect=400), 400, "invalid-body")
    with house.api() as api:
        assert api.consent(mine["consentId"])["status"] == "active"
    house.withdraw(mine, "mine")
    house.until_message(mine, "sent")


def test_a_token_of_an_arrangement_that_was_taken_over_goes_with_what_took_it_over(post):
    house = post()
    app, account = house.box.application("one"), str(uuid.uuid4())

    def grant(token, *meters):
        code = {"code": "electricity.import.halfhourly", "resources": list(meters)}
        tokens = [bodies.token(token, now(), "2049-01-01T00:00:00.000Z")]
        with house.api() as api:
            more = {"permissions": [code], "tokens": tokens}
            return api.create(bodies.consent(app, now(), account=account, **more))

    grant("token-1", "m1")
    grant("token-2", "m2")
    both = grant("token-3", "m1", "m2")
    house.withdraw(both, "token-2")
    house.until_message(both, "sent")
    assert [m[3]["body"]["token"] for m in house.box.taken] == ["token-2"]


def test_without_the_token_the_tenant_owes_the_message_and_may_give_it_later(post):
    house = post()
    consent = house.granted("one")
    with house.api() as api:
        api.end(consent["consentId"])
    assert house.message(consent) == "owed"
    house.withdraw(consent, "token-1")
    house.until_message(consent, "sent")
    house.withdraw(consent, "token-1")  # once is enough
    last = house.granted("last")
    house.withdraw(last, "token-2")
    house.until_message(last, "sent")
    assert [m[0] for m in house.box.taken] == ["one", "last"]


def test_a_tenant_without_a_certificate_waits_until_it_has_one(post):
    house = post(tenants=[])
    consent = house.granted("one")
    house.withdraw(consent, "token-1")
    until(house.server, lambda: metrics(house.server)["consentd_messages_waiting"] == 1)
    assert house.box.fetched == []
    house.server.config["tenants"] = [house.tenant]
    house.server.reload()
    house.until_message(consent, "sent")


@pytest.mark.parametrize("token", ["", "x" * 8193, 7, None, ["x"]])
def test_a_token_that_is_none_is_refused(post, token):
    house = post()
    consent = house.granted("one")
    body = {"reason": {"code": "withdrawn"}, "invalidatedToken": token}
    with house.api() as api:
        answer = api.post(f"/v1/consents/{consent['consentId']}/revoke", body)
        refused(answer, 400, "invalid-body", "/invalidatedToken")
        assert api.consent(consent["consentId"])["status"] == "active"


def test_many_messages_to_one_application_follow_each_other(post):
    """Four in a turn, and the next turn at once: not when something else wakes the courier."""
    house = post(tenants=[])
    consents = [house.granted("one") for _ in range(14)]
    for number, consent in enumerate(consents):
        house.withdraw(consent, f"token-{number}")
    until(house.server, lambda: metrics(house.server)["consentd_messages_waiting"] == 14)
    house.server.config["tenants"] = [house.tenant]
    house.server.reload()
    house.box.wait(lambda: len(house.box.taken) == 14)
    assert len({m[3]["body"]["token"] for m in house.box.taken}) == 14
