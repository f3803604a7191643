# SPDX-License-Identifier: Apache-2.0
"""Permission steps of provenance records: made from the consent, kept by it, and found by auditors."""

import base64
import re

from conftest import NOW
from harness import bodies
from harness.audit import Auditor

SEC = "https://smartenergycodecompany.co.uk/documents/sec/consolidated-sec/"
PROCESSES = [
    f"{bodies.PREFIX}/process/{kind}-emissions-calculation/2026-03-12"
    for kind in ("electricity", "gas")
]
GRANTED, GRANTED_SECOND = "2026-06-15T11:59:58.999Z", "2026-06-15T11:59:58Z"
EXPIRES, EXPIRES_SECOND = "2027-06-01T00:00:00.500Z", "2027-06-01T00:00:00Z"


def make(cast, **more):
    document = bodies.consent(cast.app_url, NOW, expires=EXPIRES, grant=bodies.grant(GRANTED))
    return cast.tenant.create({**document, **more})


def add(cast, consent, body=None, expect=200, **more):
    path = f"/v1/consents/{consent['consentId']}/provenance-steps"
    response = cast.tenant.post(path, body, **more)
    assert response.status_code == expect, response.text
    return response


def events(cast, step):
    found = cast.auditor.get("/v1/audit/events", params={"stepId": step}).json()["items"]
    return [(item["event"], item["payload"]["consentId"]) for item in found]


def test_a_step_is_made_of_the_consent_and_nothing_else(cast):
    consent = make(cast)
    response = add(cast, consent)
    step = response.json()["step"]
    assert len(base64.b64decode(step["id"], validate=True)) == 15
    account = cast.client.consent(consent["consentId"])["account"]
    assert step == {
        "id": step["id"],
        "type": "permission",
        "scheme": bodies.PREFIX,
        "timestamp": GRANTED_SECOND,
        "account": account,
        "allows": {"licenses": [bodies.ENERGY, SEC], "processes": PROCESSES},
        "expires": EXPIRES_SECOND,
    }
    assert account != consent["account"] and consent["account"] not in response.text
    assert response.headers["etag"] == '"2"'
    now = cast.tenant.consent(consent["consentId"])
    assert now["provenanceStepIds"] == [step["id"]]
    assert now["logIndex"] == response.json()["logIndex"]
    assert events(cast, step["id"]) == [("consent.stepAdded", consent["consentId"])]


def test_each_step_has_an_id_of_its_own_and_all_are_kept(cast):
    consent = make(cast)
    ids = [add(cast, consent).json()["step"]["id"] for _ in range(20)]
    assert len(set(ids)) == 20
    assert cast.tenant.consent(consent["consentId"])["provenanceStepIds"] == ids
    assert cast.client.consent(consent["consentId"])["provenanceStepIds"] == ids
    then = cast.auditor.consent(consent["consentId"])
    assert then["provenanceStepIds"] == ids


def test_an_id_made_elsewhere_is_appended_once(cast):
    consent, made = make(cast), "qK/2+1xWbC9TgVvLb3rS"
    first = add(cast, consent, {"id": made})
    assert first.json()["step"]["id"] == made
    again = add(cast, consent, {"id": made})
    assert again.content == first.content and again.headers["etag"] == first.headers["etag"]
    assert events(cast, made) == [("consent.stepAdded", consent["consentId"])]
    assert cast.other_auditor.get("/v1/audit/events", params={"stepId": made}).json() == {
        "items": []
    }
    raw = cast.auditor.get(f"/v1/audit/events?stepId={made}")  # where + is a space
    assert raw.json()["items"] == []


def test_a_licence_without_external_ones_names_itself_alone(cast):
    energy = make(cast)
    emissions = make(
        cast,
        license=bodies.EMISSIONS,
        client=cast.fsp_url,
        dependsOn=[[{"arrangementId": energy["arrangementId"]}]],
    )
    step = add(cast, emissions).json()["step"]
    assert step["allows"] == {"licenses": [bodies.EMISSIONS], "processes": []}


def test_only_an_active_consent_has_new_steps(cast):
    consent = make(cast)
    kept = add(cast, consent).json()["step"]["id"]
    cast.tenant.end(consent["consentId"])
    problem = add(cast, consent, expect=409).json()
    assert problem["detail"] == "only an active consent has new provenance steps"
    assert add(cast, consent, {"id": "made-before"}).json()["step"]["timestamp"] == GRANTED_SECOND
    assert cast.tenant.consent(consent["consentId"])["provenanceStepIds"] == [kept, "made-before"]
    asked = cast.tenant.create(bodies.requested(cast.app_url))
    for body in (None, {"id": "x"}):
        assert "only a granted" in add(cast, asked, body, expect=409).json()["detail"]


def test_what_is_no_id_is_refused(cast):
    consent = make(cast)
    add(cast, consent, {"id": "x" * 128})
    for body in ({"id": ""}, {"id": "x" * 129}, {"id": 7}, {"id": None}, {"step": "x"}, []):
        add(cast, consent, body, expect=400)
    add(cast, consent, {"id": "y"}, expect=412, headers={"If-Match": '"1"'})
    assert cast.tenant.consent(consent["consentId"])["version"] == 2


def test_an_auditor_finds_all_of_it(cast, root, watch):
    watch.new()
    consent = make(cast)
    add(cast, consent, {"id": 'a "quoted" \\ id'})
    add(cast, consent)
    added = watch.new()
    Auditor(whole=False).feed(added)
    assert [entry["event"] for entry in added] == ["consent.granted"] + ["consent.stepAdded"] * 2
    assert added[1]["payload"]["body"] == {"stepId": 'a "quoted" \\ id'}
    history = cast.client.events(consent["consentId"])
    assert [event["event"] for event in history[1:]] == ["consent.stepAdded"] * 2
    assert not re.search("quoted", str(history))  # of a client: without payloads


def test_the_answer_proves_itself(cast):
    response = add(cast, make(cast), headers={"Prefer": "proof"})
    assert response.json()["proof"].startswith("c2sp.org/tlog-proof@v1\n")
    assert f"\nindex {response.json()['logIndex']}\n" in response.json()["proof"]


def test_an_auditor_finds_the_evidence_by_what_the_step_says(cast):
    """The person said yes before it was recorded, and the step knows that time alone."""
    consent = make(cast)
    step = add(cast, consent).json()["step"]
    assert step["timestamp"] < consent["statusAt"][:19]
    asked = {"account": step["account"], "time": step["timestamp"], "client": cast.app_url}
    answer = cast.auditor.get("/v1/audit/at", params=asked).json()
    assert answer["decision"] is True and answer["time"] == NOW
    assert answer["consent"]["consentId"] == consent["consentId"]
    assert answer["notice"]["renderedDigest"] == consent["grant"]["notice"]["renderedDigest"]
    elsewhere = cast.other_auditor.get("/v1/audit/at", params=asked).json()
    assert elsewhere["status"] == 404  # as for any time at which that log had no policy
