"""The guarded session: what it asks for, what it bears, and what it makes of every answer."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.postgres import free_port
from reconcile.lms import contract
from reconcile.lms.contract import to_learner_training
from reconcile.lms.session import MOST_FAILURES, Gate, LmsRejected, LmsUnauthorized, LmsUnavailable, Session
from tests.support.platform_faults import Matching, Script
from tests.support.training_platform import Answer, Platform, Request, serving


@pytest.fixture
def platform() -> Iterator[Platform]:
    """Seven trainings, three on a page."""
    platform = Platform(page_size=3)
    for number in range(1, 8):
        platform.trainings.put(number, {"id": number, "title": f"Training {number}"})
    with serving(platform):
        yield platform


@pytest.fixture
def session(platform: Platform) -> Iterator[Session]:
    session = Session(platform.url, platform.token, Gate(), answer_seconds=0.4)
    yield session
    session.close()


def trainings(session: Session) -> list[int]:
    return [training_id for page in contract.list_training_ids(session) for training_id in page]


def answering(platform: Platform, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """From now on the platform says the same to everything."""

    def handle(_request: Request, _as_of: float = 0.0) -> Answer:
        return answer

    monkeypatch.setattr(platform, "handle", handle)


# --- lists ----------------------------------------------------------------------------------------


def test_reads_every_page_up_to_the_empty_one(platform: Platform, session: Session) -> None:
    assert trainings(session) == list(range(1, 8))
    assert [request.query["page"] for request in platform.requests] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "truncated", "malformed", "html", "empty"])
def test_an_error_on_any_page_is_never_taken_for_the_end_of_the_list(
    platform: Platform, session: Session, fault: str
) -> None:
    platform.faults = Script({3: fault})
    with pytest.raises(LmsUnavailable):
        trainings(session)


@pytest.mark.parametrize("body", [{}, {"trainings": None}, {"trainings": "none"}, {"trainings": [1]}])
def test_an_answer_without_the_list_is_no_empty_list(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]
) -> None:
    answering(platform, monkeypatch, (200, body))
    with pytest.raises(LmsUnavailable, match="no list 'trainings'"):
        trainings(session)


def test_a_platform_that_ignores_the_page_is_found_out(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(platform, monkeypatch, (200, {"trainings": [{"id": 1, "title": "Training 1"}]}))
    with pytest.raises(LmsUnavailable, match="page 2 is page 1 again"):
        trainings(session)


def test_what_a_filter_ignored_brings_along_is_left_out(platform: Platform, session: Session) -> None:
    platform.filters = False
    for learner_id in (1, 2):
        for training_id in (1, 2, 3):
            platform.assign_by_hand(learner_id, training_id)
    (found,) = contract.find_learner_trainings(session, 2, 3)
    assert (found.learner_id, found.training_id) == (2, 3)


# --- answers by what the caller must do -----------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, LmsRejected),
        (403, LmsRejected),
        (404, LmsRejected),
        (409, LmsRejected),
        (422, LmsRejected),
        (401, LmsUnauthorized),
        (408, LmsUnavailable),
        (429, LmsUnavailable),
        (500, LmsUnavailable),
        (503, LmsUnavailable),
        (302, LmsUnavailable),
    ],
)
def test_an_error_is_named_after_what_to_do(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    answering(platform, monkeypatch, (status, {"error": "so it is"}))
    with pytest.raises(error, match=str(status)):
        contract.create_learner(session, {"first_name": "Joy"}, "key")


def test_reading_without_permission_is_the_tokens_matter(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(platform, monkeypatch, (403, {}))
    with pytest.raises(LmsUnauthorized):
        trainings(session)


def test_only_a_connection_never_made_leaves_no_doubt(platform: Platform, session: Session) -> None:
    nobody = Session(f"http://127.0.0.1:{free_port()}", "token", Gate())
    with pytest.raises(LmsUnavailable) as never_made:
        contract.create_learner(nobody, {}, "key")
    platform.faults = Script({1: "drop_after"})
    with pytest.raises(LmsUnavailable) as dropped:
        contract.create_learner(session, {"first_name": "Joy", "last_name": "Diaz"}, "key")
    nobody.close()
    assert (never_made.value.in_doubt, dropped.value.in_doubt) == (False, True)


def test_gone_is_archived_enough_and_withdrawn_enough(platform: Platform, session: Session) -> None:
    contract.archive_learner(session, 404)
    contract.withdraw(session, 404, 405)
    assert [request.status for request in platform.requests] == [404, 404]


@pytest.mark.parametrize("status", ["overdue", None, 7])
def test_a_status_of_the_platforms_own_is_read_by_what_was_done(status: object) -> None:
    row = {"id": "7", "learner_id": 1, "training_id": 2, "status": status, "progress": 250.5}
    assert to_learner_training(row).status == "in_progress"
    assert to_learner_training(row | {"progress": None}).status == "not_started"
    done = to_learner_training(row | {"completed_at": "2026-03-01T12:00:00Z"})
    assert (done.status, done.progress) == ("completed", 100)
    assert done.completed_at == dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("number", [None, "x", "²", "", -1, True, 1.5, 2**63, "9" * 19, "9" * 5000, {}])
def test_an_id_that_is_no_number_is_no_answer(number: object) -> None:
    with pytest.raises(LmsUnavailable, match="no number 'id'"):
        to_learner_training({"id": number, "learner_id": 1, "training_id": 2})


# --- what it bears --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drip", "blackhole"])
def test_an_answer_has_one_deadline_however_it_trickles_in(
    platform: Platform, session: Session, fault: str
) -> None:
    platform.faults = Script({1: fault})
    began = time.monotonic()
    with pytest.raises(LmsUnavailable):
        trainings(session)
    assert 0.3 < time.monotonic() - began < 2
    assert len(trainings(session)) == 7


def test_a_long_answer_is_not_read_to_its_end(platform: Platform, session: Session) -> None:
    platform.faults = Script({1: "huge"})
    with pytest.raises(LmsUnavailable, match="longer than 8 MB"):
        trainings(session)


def test_follows_no_redirect(platform: Platform, session: Session) -> None:
    platform.faults = Script({1: "redirect"})
    with pytest.raises(LmsUnavailable, match="307"):
        trainings(session)
    assert [request.path for request in platform.requests] == ["/trainings"]


def test_repeats_nothing_by_itself(platform: Platform, session: Session) -> None:
    platform.faults = Matching("drop_before", lambda _request: True)
    with pytest.raises(LmsUnavailable):
        contract.create_learner(session, {}, "key")
    assert len(platform.requests) == 1


def test_the_token_is_ours_whatever_the_environment_says(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert len(trainings(session)) == 7
    assert {request.token for request in platform.requests} == {platform.token}


# --- the gate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["throttle", "throttle_date", "throttle_nonsense", "unauthorized"])
def test_no_call_after_the_platform_asked_for_none(platform: Platform, session: Session, fault: str) -> None:
    platform.faults = Script({1: fault})
    for _ in range(3):
        with pytest.raises((LmsUnavailable, LmsUnauthorized)):
            trainings(session)
    assert len(platform.requests) == 1


def test_gives_up_after_silence_upon_silence(platform: Platform, session: Session) -> None:
    platform.faults = Matching("error_before", lambda _request: True)
    for _ in range(MOST_FAILURES + 5):
        with pytest.raises(LmsUnavailable):
            trainings(session)
    assert len(platform.requests) == MOST_FAILURES


def test_one_answer_in_between_is_a_sign_of_life(platform: Platform, session: Session) -> None:
    platform.faults = Matching("error_before", lambda request: request.number % MOST_FAILURES != 0)
    for _ in range(3 * MOST_FAILURES):
        with pytest.raises(LmsUnavailable):
            next(contract.list_learners(session), None)
            trainings(session)
    assert session.gate.find_obstacle() is None


def test_no_call_begins_that_could_outlive_the_lease() -> None:
    gate = Gate()
    gate.lease_until = time.monotonic() + 5
    assert gate.find_obstacle() == "the lease is about to run out"


def test_a_stopping_process_begins_no_call() -> None:
    gate = Gate(threading.Event())
    gate.stop.set()
    assert gate.find_obstacle() == "Herdbook is stopping"
