"""A database that cannot be used is the service's trouble, not the client's: 503, and when to come back."""

from pathlib import Path

from app import create_app
from config import Config


def test_a_database_without_tables_is_answered_503_with_retry_after(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    client = create_app(Config(database_url=url, secret_key="test", testing=True)).test_client()
    token = "Bearer hb_6jf3364ygezvimib5fav5jfo2vzzbshzhqvqwvna"
    answer = client.get("/scim/v2/23456/Users", headers={"Authorization": token})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert answer.get_json()["status"] == "503"
