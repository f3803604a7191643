# SPDX-License-Identifier: Apache-2.0
"""Roles and member come from the Directory certificate, and the pack asks for the right one."""

import uuid

import pytest
from conftest import NOW, NOW_S
from harness import bodies
from harness.ca import Authority, listener
from harness.client import Api
from harness.issuer import Issuer
from harness.server import Server

ROLE = "https://registry.core.trust.ib1.org/scheme/perseus/role/"
EDP, CAP, FSP = (
    ROLE + name
    for name in ("energy-data-provider", "carbon-accounting-provider", "financial-service-provider")
)
PARTY = "consents:write consents:read decisions:evaluate"
MEMBER = "https://directory.example/roles/member/edp"
CLIENT = "https://directory.example/roles/app/cap"


class House:
    def __init__(self, folder):
        self.perseus = Issuer(folder, "perseus", "perseus", ["ES256"], NOW_S)
        self.ca = Authority(folder / "ca")
        self.server = Server(
            folder / "data",
            clock=f"{NOW}x0",
            config={
                "issuers": [self.perseus.config(binding="directoryUrl", audience="consentd")],
                "listeners": [
                    listener(self.ca.server(), "mutual", clientCaFile=self.ca.certificate)
                ],
            },
        ).start()
        self.numbers = 0

    def caller(self, roles, member=MEMBER):
        """An application of its own, so that each test has its own tokens."""
        self.numbers += 1
        app = f"https://directory.example/roles/app/{self.numbers}"
        pair = self.ca.client(app, member=member, roles=roles)
        token = self.perseus.token(app, PARTY, aud="consentd")
        return Api(self.server.door("mutual", self.ca.context(pair)), None, token)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("roles"))
    yield house
    house.server.stop()


def body(**more):
    return bodies.consent(CLIENT, NOW, account=str(uuid.uuid4()), **more)


def create(api, **more):
    return api.post("/v1/consents", body(**more), key=str(uuid.uuid4()))


def test_the_member_of_the_certificate_is_the_tenant(house):
    with house.caller([EDP]) as api:
        response = create(api)
        assert response.status_code == 201, response.text
        assert response.json()["tenant"] == MEMBER


@pytest.mark.parametrize(
    "roles, presented",
    (
        ([FSP], FSP),
        ([CAP, FSP], f"{CAP}, {FSP}"),
        ([], "none"),
        ([EDP + "/", EDP.upper()], f"{EDP}/, {EDP.upper()}"),
    ),
)
def test_a_wrong_role_is_told_which_one_is_needed_and_which_were_presented(
    house, roles, presented
):
    with house.caller(roles, MEMBER + "/wrong") as api:
        response = create(api)
        document = response.json()
        assert response.status_code == 403, document
        assert document["type"].endswith("/problems/wrong-role")
        assert document["detail"] == (
            f'the tenant does not have the role "edp"; presented: {presented}'
        )
        assert [reason["code"] for reason in document["reasons"]] == ["tenantRoleWrong"]
        assert "www-authenticate" not in response.headers
        assert api.get("/v1/consents").json()["items"] == []


def test_one_right_role_among_others_is_enough(house):
    with house.caller([FSP, EDP]) as api:
        assert create(api).status_code == 201


def test_every_other_fault_is_told_at_once(house):
    with house.caller([FSP]) as api:
        response = create(api, purposes=["green-finance-eligibility"])
        assert response.status_code == 403
        codes = [reason["code"] for reason in response.json()["reasons"]]
        assert codes == ["tenantRoleWrong", "purposeNotInLicense"]


def test_a_wrong_role_of_the_client_is_a_fault_of_the_consent(house):
    """It is not the caller's: 422, as for every other clause."""
    with house.caller([EDP]) as api:
        assert create(api, clientRoles=[CAP]).status_code == 201
        response = create(api, clientRoles=[FSP])
        assert response.status_code == 422
        assert [r["code"] for r in response.json()["reasons"]] == ["clientRoleWrong"]


def test_a_certificate_without_the_extension_shows_no_role(house):
    with house.caller(None) as api:
        response = create(api)
        assert response.status_code == 403
        assert response.json()["type"].endswith("/problems/wrong-role")


def test_a_renewal_asks_for_the_role_of_today(house):
    """The same member: its application still had the role when the consent was granted."""
    member = "https://directory.example/roles/member/renewing"
    with house.caller([EDP], member) as before, house.caller([CAP], member) as today:
        made = create(before).json()
        grant = {"grant": bodies.grant(NOW)}
        path = f"/v1/consents/{made['consentId']}/renew"
        response = today.post(path, grant, key=str(uuid.uuid4()))
        assert response.status_code == 403
        assert response.json()["type"].endswith("/problems/wrong-role")
        assert before.post(path, grant, key=str(uuid.uuid4())).status_code == 201
