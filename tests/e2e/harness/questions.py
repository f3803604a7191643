# SPDX-License-Identifier: Apache-2.0
"""AuthZEN questions, and packs that record or do not."""

import json

from harness.server import PERSEUS


def question(client, resource, purpose="estimate-emissions", context=None, action=None, **data):
    """resource: a consent, or an account by its id. `data` are the resource's properties."""
    kind = "account" if isinstance(resource, str) else "consent"
    asked = {
        "subject": {"type": "application", "id": client},
        "action": {"name": "read"} if action is None else action,
        "resource": {"type": kind, "id": resource if kind == "account" else resource["consentId"]},
    }
    if purpose is not None and action is None:
        asked["action"]["properties"] = {"purpose": purpose}
    if data:
        asked["resource"]["properties"] = data
    if context is not None:
        asked["context"] = context
    return asked


def pack_file(path, **settings):
    """Perseus with other settings."""
    pack = json.loads(PERSEUS.read_text())
    pack["settings"].update(settings)
    path.write_text(json.dumps(pack))
    return path


def codes(answer):
    return {reason["code"] for reason in answer["context"]["reasons"]}
