"""A database that cannot be used is the service's trouble, not the client's: 503, and when to come back."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import Config

TOKEN = {"Authorization": "Bearer hb_6jf3364ygezvimib5fav5jfo2vzzbshzhqvqwvna"}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """Of a service whose database has no tables."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return create_app(Config(database_url=url, secret_key="test", testing=True)).test_client()


def test_a_database_without_tables_is_answered_503_with_retry_after(client: FlaskClient) -> None:
    answer = client.get("/scim/v2/23456/Users", headers=TOKEN)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert answer.get_json()["status"] == "503"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["Users", "Users/1", "nothing"])
def test_what_cannot_be_answered_is_a_line_of_the_log_and_no_traceback(
    client: FlaskClient, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.open(f"/scim/v2/23456/{path}", method=method, headers=TOKEN)
    assert caplog.records
    assert not [record for record in caplog.records if record.exc_info]
    assert all("db upgrade" in record.getMessage() for record in caplog.records)
