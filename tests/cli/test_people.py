"""``explain``, ``pin``, ``exempt``, ``learners`` and ``progress``."""

from tests.cli.conftest import Flasks, explain


def test_explain_says_where_a_course_comes_from_and_what_is_in_the_way(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    told = acme("explain", "23456", "amy@acme.example").stdout
    assert "SEC-101: blocked" in told
    assert "family name is missing" in told
    assert "perhaps" in told or "Did you mean" in told
    alone = acme("explain", "23456", "joy@acme.example", "onboard").stdout
    assert "journey ONBOARD" in alone
    unknown = acme("explain", "23456", "joy@acme.example", "nocode").stdout
    assert "Courses: none" not in unknown
    assert "The catalog has no code nocode." in unknown


def test_a_pin_and_an_exemption_go_before_the_tags(acme: Flasks) -> None:
    until = ["--reason", "asked for it", "--until", "2999-12-31"]
    assert acme("pin", "23456", "joy@acme.example", "sec-101", *until).exit_code == 0
    assert acme("exempt", "23456", "joy@acme.example", "ETH-1", *until).exit_code == 0
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "joy") == {"SEC-101": "assigned"}
    assert "asked for it" in acme("explain", "23456", "joy@acme.example", "ETH-1").stdout


def test_a_file_changes_who_is_there_and_clears_what_is_empty(acme: Flasks) -> None:
    lines = ["\ufeffUserName;FAMILY NAME;active;training-tags", "AMY@acme.example;Lee;true;", ""]
    lines += ["bob@acme.example;;False;ETH-1", ""]
    done = acme("learners", "import", "23456", "-", said="\r\n".join(lines))
    assert (done.exit_code, done.stdout) == (0, "2 of 2 lines were taken.\n")
    assert "3 people" in acme("company", "list").stdout
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "amy") == {}
    assert "missing_family_name" not in acme("explain", "23456", "amy@acme.example").stdout
    assert "(deactivated)" in acme("explain", "23456", "bob@acme.example").stdout


def test_lines_that_cannot_be_used_are_named_and_the_others_taken(acme: Flasks) -> None:
    file = "userName,active\ncy@acme.example,true\n,true\ndot@acme.example,perhaps\n"
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 3 lines were taken.\n")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 3", "line 4"]


def test_what_is_wrong_with_a_line_is_said_by_its_column(acme: Flasks) -> None:
    file = "userName,givenName,active\njoy@acme.example,,perhaps\ncy@acme.example,,perhaps\n"
    told = acme("learners", "import", "23456", "-", said=file).stderr.splitlines()
    assert [each.partition(" must")[0] for each in told] == [
        "line 2: active: active",
        "line 3: active: active",
    ]


def test_progress_comes_from_a_file(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    file = (
        "userName,course,progress,at\njoy@acme.example,eth-1,100,2026-03-01\njoy@acme.example,SEC-101,40 %,\n"
    )
    assert acme("progress", "import", "23456", "-", said=file).exit_code == 0
    assert explain(acme, "joy") == {"ETH-1": "completed", "SEC-101": "in_progress"}


def test_progress_that_cannot_be_recorded_is_named(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    lines = ["joy@acme.example,NOTHING,1,", "nobody@acme.example,ETH-1,1,", "joy@acme.example,ETH-1,101,"]
    lines += ["joy@acme.example,ETH-1,50,yesterday", "joy@acme.example,ETH-1,50,2999-01-01"]
    lines += ['joy@acme.example,ETH-1,"12,5",', "joy@acme.example,ETH-1,50,"]
    file = "\n".join(["userName,course,progress,at", *lines])
    done = acme("progress", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 7 lines were taken.\n")
    assert len(done.stderr.splitlines()) == 6
    assert "line 3: there is nobody named 'nobody@acme.example'" in done.stderr
    assert "line 6: at is '2999-01-01', which lies ahead" in done.stderr
    assert "not_started, in_progress, completed or a whole number from 0 to 100, not '12,5'" in done.stderr


def test_progress_that_would_take_something_back_is_ignored_and_said(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    head, line = "userName,course,progress", "joy@acme.example,eth-1"
    acme("progress", "import", "23456", "-", said=f"{head}\n{line},100\n")
    done = acme("progress", "import", "23456", "-", said=f"{head}\n{line},40\n")
    assert done.exit_code == 0
    assert "line 2: ETH-1 is completed already; in progress (40 %) was ignored" in done.stdout
    assert explain(acme, "joy")["ETH-1"] == "completed"
