"""States and countries as people type them."""

import pytest

from reconcile.decide.places import read_place


@pytest.mark.parametrize(
    ("state", "country"),
    [
        ("California", "United States"),
        ("california", "USA"),
        ("CA", "US"),
        ("US-CA", "840"),
        ("us-ca", "United States of America"),
        ("Ca", "U.S.A."),
        (" CALIFORNIA ", "usa\u200b"),
        ("California", None),
        ("CA", ""),
        ("US-CA", None),
        ("CA", "N/A"),
    ],
)
def test_every_way_to_write_california_is_the_same_place(state: str, country: str | None) -> None:
    place = read_place(state, country)
    assert (place.country, place.state, place.unread) == ("US", "US-CA", ())


@pytest.mark.parametrize(
    ("state", "country", "code"),
    [
        ("Québec", "Canada", "CA-QC"),
        ("quebec", "CAN", "CA-QC"),
        ("ON", "CA", "CA-ON"),
        ("CA-ON", "", "CA-ON"),
        ("Bayern", "Germany", "DE-BY"),
        ("São Paulo", "Brazil", "BR-SP"),
        ("Sao Paulo", "BR", "BR-SP"),
        ("England", "UK", "GB-ENG"),
        ("Washington, D.C.", "USA", "US-DC"),
        ("Washington", "USA", "US-WA"),
        ("Georgia", "", "US-GA"),
        ("Puerto Rico", "US", "US-PR"),
        ("New South Wales", "Australia", "AU-NSW"),
    ],
)
def test_a_state_is_read_in_its_country(state: str, country: str, code: str) -> None:
    assert read_place(state, country).state == code


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("Korea, Republic of", "KR"),
        ("South Korea", "KR"),
        ("Iran", "IR"),
        ("Bolivia", "BO"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Côte d'Ivoire", "CI"),
        ("Cote d’Ivoire", "CI"),
        ("Trinidad & Tobago", "TT"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("great britain", "GB"),
        ("deu", "DE"),
        ("276", "DE"),
        ("Holland", "NL"),
    ],
)
def test_a_country_is_read_by_code_or_name(country: str, code: str) -> None:
    assert read_place(None, country).country == code


@pytest.mark.parametrize("country", ["Korea", "Virgin Islands", "Atlantis", "ZZ", "U"])
def test_what_could_be_two_countries_or_none_is_not_guessed(country: str) -> None:
    place = read_place("", country)
    assert (place.country, place.unread) == (None, (("country", country),))


def test_only_a_us_state_stands_without_its_country() -> None:
    assert read_place("Ontario", "").country is None
    assert read_place("Georgia", "Georgia").state is None


@pytest.mark.parametrize(("state", "country"), [("CA", "Canada"), ("US-CA", "France"), ("Califronia", "US")])
def test_a_state_that_is_not_in_the_country_stays_unread(state: str, country: str) -> None:
    place = read_place(state, country)
    assert (place.state, place.unread) == (None, (("state", state),))


def test_a_state_in_an_unreadable_country_is_not_taken_for_an_american_one() -> None:
    place = read_place("CA", "Murica")
    assert (place.country, place.state) == (None, None)


@pytest.mark.parametrize("text", [None, "", "  ", "-", "N/A", "State from SCIM"])
def test_what_says_nothing_is_no_place(text: str | None) -> None:
    assert read_place(text, text) == read_place(None, None)
