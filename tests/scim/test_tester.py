"""scim2-tester, a conformance checker of other people, finds nothing to object to."""

import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.conftest import SCALE
from tests.support.idp import Idp, switch

CONTENT = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
DATABASES = ("sqlite", "postgresql") if SCALE >= 1 else ("sqlite",)


@pytest.mark.parametrize("app", DATABASES, indirect=True)
@pytest.mark.parametrize("kinds", [("User",), ("User", "Group")], ids=["groups off", "groups on"])
def test_the_checker_is_content(idp: Idp, kinds: tuple[str, ...]) -> None:
    """The codes of the catalog are left out: it would create some, and they are read-only."""
    switch(groups="Group" in kinds)
    client = WSGISCIMClient(
        idp.client.application,
        base_url=f"http://localhost/scim/v2/{idp.company}",
        headers={"Authorization": f"Bearer {idp.token}"},
    )
    # What it asks of a User does not depend on groups: in a sample, one way is enough.
    asked = kinds if SCALE >= 1 else kinds[-1:]
    results = check_server(client, resource_types=[*asked])
    assert {each.resource_type for each in results} >= {*asked}
    assert [(each.title, each.reason) for each in results if each.status not in CONTENT] == []
