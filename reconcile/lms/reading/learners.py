"""The platform's learners and our people, held together by external id alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from models import LmsLearner, User, any_of, reading
from reconcile.lms import contract
from reconcile.lms.contract import Learner
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.session import Session

MOST_TWINS = 1000


def link_learners(lms_run: LmsRun, session: Session, seen: SeenIds) -> None:
    """Read all learners; ``seen`` gets their ids.

    A person of ours whom the platform knows and we do not is linked; one who is not archived there
    although we archived them is compared anew. Of two learners with one external id of ours the one
    that we do not use is archived.
    """
    twins: list[Learner] = []
    for learners in contract.list_learners(session):
        lms_run.renew()
        page = [learner for learner in learners if learner.active]
        seen.add(learner.id for learner in page)
        used = _link_page(lms_run, page)
        second = [one for one in page if used.get(one.external_id, one.id) != one.id]
        twins += second[: MOST_TWINS - len(twins)]
    for twin in twins:
        _settle_twin(lms_run, session, seen, twin)


def _link_page(lms_run: LmsRun, page: Sequence[Learner]) -> dict[str | None, int]:
    """Link the new learners of a page; person of ours -> the learner we use."""
    ids = {one.external_id: one.id for one in reversed(page) if one.external_id}
    ours = {row.user_id: row for row in _load_ours(lms_run.company_id, list(ids))}
    new = {user_id: ids[user_id] for user_id, row in ours.items() if row.lms_id is None}
    awake = [user_id for user_id, row in ours.items() if row.archived and row.lms_id == ids[user_id]]
    if new or awake:
        with lms_run.transaction() as connection:
            _link(connection, lms_run.company_id, new)
            _check_again(connection, lms_run.company_id, awake)
    return {user_id: new.get(user_id, row.lms_id) for user_id, row in ours.items()}


def _load_ours(company_id: str, ids: Sequence[str]) -> Sequence[Any]:
    """Those of ``ids`` who are people of ours, with what is known of them as learners."""
    same_person = (LmsLearner.company_id == User.company_id) & (LmsLearner.user_id == User.id)
    statement = (
        select(User.id.label("user_id"), LmsLearner.lms_id, LmsLearner.archived)
        .outerjoin(LmsLearner, same_person)
        .where(User.company_id == company_id, any_of(User.id, ids))
    )
    with reading() as connection:
        return connection.execute(statement).all()


def _link(connection: Connection, company_id: str, found: Mapping[str, int]) -> None:
    for user_id, lms_id in found.items():
        row = (LmsLearner.company_id == company_id, LmsLearner.user_id == user_id)
        values = {"lms_id": lms_id, "delivery": "to_check", "archived": False}
        if connection.execute(update(LmsLearner).where(*row).values(**values)).rowcount == 0:
            connection.execute(insert(LmsLearner).values(company_id=company_id, user_id=user_id, **values))


def _check_again(connection: Connection, company_id: str, ids: Sequence[str]) -> None:
    statement = update(LmsLearner).where(LmsLearner.company_id == company_id, any_of(LmsLearner.user_id, ids))
    connection.execute(statement.values(archived=False, delivery="to_check"))


def _settle_twin(lms_run: LmsRun, session: Session, seen: SeenIds, twin: Learner) -> None:
    """Two learners for one person: a creation was carried out twice, or ours was deleted and made anew."""
    user_id = str(twin.external_id)
    (row,) = _load_ours(lms_run.company_id, [user_id])
    if row.lms_id is None or row.archived or seen.find([row.lms_id]):
        contract.archive_learner(session, twin.id)
        return
    with lms_run.transaction() as connection:
        _link(connection, lms_run.company_id, {user_id: twin.id})
