"""What is made of an answer from outside."""

import pytest

from outbound.answers import find_retry_after, parse_object


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (b"", "not JSON"),
        (b"<p>fine</p>", "not JSON"),
        (b"\xff{}", "not JSON"),
        (b'{"progress": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
    ],
)
def test_what_is_no_object_is_named(text: bytes, mistake: str) -> None:
    with pytest.raises(ValueError, match=f"^{mistake}$"):
        parse_object(text)
    assert parse_object(b'{"fine": true}') == {"fine": True}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "9" * 18}, 24 * 3600),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "when pigs fly"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        # By the other side's own clock, wherever it stands.
        (
            {"Date": "Mon, 02 Mar 1998 12:00:00 GMT", "Retry-After": "Mon, 02 Mar 1998 12:01:30 GMT"},
            90,
        ),
        ({"Date": "Mon, 02 Mar 1998 12:00:00 GMT", "Retry-After": "Mon, 02 Mar 1998 11:00:00 GMT"}, None),
        ({"Date": "Mon, 02 Mar 1998 12:00:00 GMT", "Retry-After": "Mon, 99 Mar 1998 25:00:00 GMT"}, None),
    ],
)
def test_reads_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert find_retry_after(headers) == seconds
