# SPDX-License-Identifier: Apache-2.0
"""GET /evidence/{id} as a person sees it: in a real browser at 320 px, judged by axe-core; and its
place in the log."""

import json
import subprocess
import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.audit import Auditor, read_log
from harness.client import Api
from harness.process import until
from harness.program import BIN
from harness.server import ROOT
from harness.tokens import Minter

APP = "https://directory.example/evidence/application/" + "long-" * 30 + "name"
EDP = "https://directory.example/evidence/member/edp"
HOSTILE = '"><script>fetch("https://elsewhere.example/")</script><img src=//elsewhere.example/x>'
WIDTH = 320


def browse(*urls):
    """What the browser found of each page in light and dark; and the title of the framed first."""
    run = subprocess.run(
        [BIN / "node", ROOT / "tests/e2e/browser/evidence.mjs", *urls],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    *pages, last = map(json.loads, run.stdout.splitlines())
    return pages, last["framed"]


def grant(**more):
    made = bodies.grant(NOW)
    made["by"] = {"ref": "user-71", "authority": "director"}
    made["proofs"] = [{"type": "bill"}, {"type": "meterReading", "at": NOW}]
    made["ip"] = "198.51.100.7"
    return {**made, **more}


@pytest.fixture
def house(new_server):
    server = new_server(clock=f"{NOW}x0", environment={"CONSENTD_NOTE_READS_SECONDS": "1"})
    return server, Minter(server.data, NOW_S)


def address(server, consent):
    return f"{server.url}/evidence/{consent['evidenceId']}"


def test_the_page_in_a_browser(house):
    """Readable at 320 px without scrolling sideways, in light and dark; nothing is fetched; axe-core
    finds no violation; what callers stored is text."""
    server, minter = house
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        body = bodies.consent(APP, NOW, account=str(uuid.uuid4()))
        first = tenant.create({**body, "grant": grant()})
        hostile = grant(by={"ref": HOSTILE, "authority": "مدير " + HOSTILE}, method=HOSTILE[:60])
        hostile["notice"]["url"] = "https://n.example/" + "x" * 200
        second = tenant.renew(first["consentId"], {"grant": hostile})
        ended = tenant.create(bodies.consent(APP, NOW, account="other"))
        tenant.end(ended["consentId"])
        assert second["evidenceId"] == first["evidenceId"] != ended["evidenceId"]
        missing = f"{server.url}/evidence/{'A' * 43}"
        pages, framed = browse(address(server, first), address(server, ended), missing)
    assert framed == "Evidence of consent"
    assert [page["status"] for page in pages] == [200, 200, 200, 200, 404, 404]
    for page in pages:
        assert page["requests"] == [page["url"]], page["requests"]
        assert page["width"] == WIDTH and page["outside"] == [], page
        assert page["smallest"] >= 14 and page["language"] == "en"
        assert page["violations"] == [], page["violations"]
        assert "color-contrast" in page["passes"]
        assert page["incomplete"] == [] and page["scripts"] == 0
        assert page["said"] == ([] if page["status"] == 200 else page["said"])
    assert pages[0]["background"] != pages[1]["background"]
    text = pages[0]["text"]
    assert HOSTILE in text and "user-71" in text and "Replaced by a newer grant" in text
    assert "meterReading" in text and "198.51.100.7" not in text and body["account"] not in text
    assert "Withdrawn" in pages[2]["text"] and "No such evidence" in pages[4]["text"]


def test_who_views_it_is_not_known_but_that_it_was_viewed_is(house):
    server, minter = house
    with Api(server, minter, minter.tenant(EDP)) as tenant:
        made = tenant.create(bodies.consent(APP, NOW))
        path = f"/evidence/{made['evidenceId']}"
        for _ in range(3):
            assert tenant.get(path, token=None).status_code == 200
        assert tenant.call("HEAD", path, token=None).status_code == 200
        assert tenant.get(f"/evidence/{made['evidenceId'][:-1]}", token=None).status_code == 404
    with Api(server, minter, minter.auditor()) as auditor:

        def viewed():
            entries = read_log(auditor)
            views = [e for e in entries if e["event"] == "peer.evidenceViewed"]
            return sum(e["payload"]["body"]["count"] for e in views) == 4 and (entries, views)

        entries, views = until(server, viewed)
    Auditor().feed(entries)
    for view in views:
        assert view["payload"]["consentId"] == made["consentId"]
        assert view["payload"]["actor"] == {"role": "system"}
        assert set(view["payload"]["body"]) == {"operation", "count", "first", "last"}
