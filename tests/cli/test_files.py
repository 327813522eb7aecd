"""Files that commands read: which are taken, and what is said of the others."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import CATALOG, PEOPLE, Flasks, explain


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "amy@acme.example,Amy",
            "line 3: 2 cells where 4 columns are named; quote a value that holds a comma",
        ),
        ("amy@acme.example,Amy,Lee,ETH-1,SEC-101", "line 3: 5 cells where 4 columns are named"),
        ("amy@acme.example,Amy,Lee,ETH-1,", "line 3: 5 cells where 4 columns are named"),
    ],
)
def test_a_line_that_does_not_fit_the_first_one_changes_nobody(
    acme: Flasks, line: str, complaint: str
) -> None:
    file = f"userName,givenName,familyName,training_tags\njoy@acme.example,J,Y,ETH-1\n{line}\n"
    before = acme("explain", "23456", "amy@acme.example").stdout
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 2 lines were taken.\n")
    assert complaint in done.stderr
    assert acme("explain", "23456", "amy@acme.example").stdout == before


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (['joy@acme.example,"ETH-1', "amy@acme.example,ETH-1", "cy@acme.example,"], "Line 2: a quote"),
        (['joy@acme.example,"ETH-1', 'amy@acme.example,"ETH-1, SEC-101"'], "Line 2: a quote"),
        (["joy@acme.example,ETH-1", f"amy@acme.example,{'x' * 140_000}"], "Line 3: .*131072"),
    ],
)
def test_a_quote_that_is_not_closed_swallows_nobody(acme: Flasks, lines: list[str], complaint: str) -> None:
    before = acme("explain", "23456", "joy@acme.example").stdout
    file = "\n".join(["userName,training_tags", *lines, ""])
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.search(f"^Error: {complaint}", done.stderr)
    assert acme("explain", "23456", "joy@acme.example").stdout == before


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends(acme: Flasks) -> None:
    cell = '"ETH-1, ""Sec 102""\nSEC-101"'
    done = acme(
        "learners", "import", "23456", "-", said=f"userName, training_tags\njoy@acme.example, {cell}\n"
    )
    assert done.exit_code == 0, done.stderr
    assert {*explain(acme, "joy")} == {"ETH-1", "SEC-101"}


PEOPLE_WITH_ACCENTS = "userName,familyName\njoy@acme.example,Müller\n"


@pytest.mark.parametrize(
    ("words", "content", "form"),
    [
        ("learners import", PEOPLE_WITH_ACCENTS.encode("latin-1"), "CSV UTF-8"),
        ("learners import", PEOPLE_WITH_ACCENTS.encode("utf-16"), "CSV UTF-8"),
        ("learners import", PEOPLE.encode("utf-16-le"), "CSV UTF-8"),
        ("catalog load", CATALOG.replace("Security", "Sécurité").encode("latin-1"), "UTF-8"),
    ],
)
def test_a_file_in_other_letters_is_told_how_to_be_saved(
    acme: Flasks, tmp_path: Path, words: str, content: bytes, form: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    done = acme(*words.split(), "23456", str(tmp_path / "file"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.search(
        rf"^Error: .+/file, line \d: this is no UTF-8\. Save it as {form}\.$", done.stderr.strip()
    )


@pytest.mark.parametrize("head", ["", "name,email", "userName,shoeSize", "userName,username"])
def test_a_file_without_the_right_columns_changes_nothing(acme: Flasks, head: str) -> None:
    done = acme("learners", "import", "23456", "-", said=f"{head}\njoy@acme.example,1\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "userName" in done.stderr
