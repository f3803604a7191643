# SPDX-License-Identifier: Apache-2.0
"""A caller of the API over httpx, HTTP/1.1 or HTTP/2. Every answer is held against openapi.yaml."""

import json
import uuid

import httpx

from harness.checked import LARGE, check_new_shapes, contract

TIMEOUT_S = 60


class Api:
    """One connection pool. `token` is what requests carry unless they say otherwise."""

    def __init__(self, server, minter, token=None, http2=False):
        self.server = server
        self.minter = minter
        self.token = token
        self.http = httpx.Client(
            base_url=server.url,
            http1=not http2,
            http2=http2,
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=getattr(server, "tls", None) or True,
        )

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(
        self,
        method,
        path,
        body=None,
        token=...,
        headers=None,
        content=None,
        params=None,
        check=True,
    ):
        """`body` is sent as JSON; `content` as it is. Checks the answer against the contract."""
        sent = dict(headers or {})
        bearer = self.token if token is ... else token
        if bearer is not None:
            sent.setdefault("Authorization", f"Bearer {bearer}")
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        response = self.http.request(method, path, content=content, headers=sent, params=params)
        if check:
            large = len(response.content) > LARGE and "json" in response.headers["content-type"]
            checker = check_new_shapes if large else contract().check
            checker(method, path.partition("?")[0], response)
        return response

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, key=None, **more):
        headers = dict(more.pop("headers", None) or {})
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.call("POST", path, body, headers=headers, **more)

    # ---- the operations that tests begin with

    def create(self, body, key=None, expect=201, **more):
        response = self.post("/v1/consents", body, key=key or str(uuid.uuid4()), **more)
        assert response.status_code == expect, response.text
        return response.json()

    def consent(self, consent_id, **more):
        response = self.get(f"/v1/consents/{consent_id}", **more)
        assert response.status_code == 200, response.text
        return response.json()

    def end(self, consent_id, code="withdrawn", operation="revoke", expect=200, **more):
        response = self.post(
            f"/v1/consents/{consent_id}/{operation}", {"reason": {"code": code}}, **more
        )
        assert response.status_code == expect, response.text
        return response.json()

    def renew(self, consent_id, body, key=None, expect=201, **more):
        response = self.post(
            f"/v1/consents/{consent_id}/renew", body, key=key or str(uuid.uuid4()), **more
        )
        assert response.status_code == expect, response.text
        return response.json()

    def pages(self, path, **more):
        """Every item of a paged listing, following Link: rel="next"."""
        items = []
        while True:
            response = self.get(path, **more)
            assert response.status_code == 200, response.text
            page = response.json()
            items += page["items"]
            following = response.links.get("next", {}).get("url")
            assert (following is None) == (page.get("next") is None), response.headers
            if following is None:
                return items
            path = following
            more.pop("params", None)

    def events(self, consent_id, **more):
        return self.pages(f"/v1/consents/{consent_id}/events", **more)


def refused(response, status, problem, pointer=None):
    """The exact problem; `pointer` is one of errors[]."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    document = response.json()
    assert response.headers["content-type"] == "application/problem+json", response.headers
    assert document["type"].endswith(f"/problems/{problem}"), document
    assert document["status"] == status
    for member in ("title", "detail", "instance"):
        assert document.get(member), document
    if pointer is not None:
        assert pointer in [e["pointer"] for e in document.get("errors", [])], document
    assert response.headers.get("x-request-id"), response.headers
    if status in (401, 403) and problem != "wrong-role":
        assert response.headers["www-authenticate"].startswith("Bearer"), response.headers
    return document
