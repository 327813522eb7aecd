"""An IdP with an access token of company 23456, and what it says to the service."""

import pytest
from flask import Flask

from scim.tokens import create_token
from tests.support.idp import Idp


@pytest.fixture
def idp(app: Flask) -> Idp:
    return Idp(app.test_client(), create_token("23456", "Okta"))
