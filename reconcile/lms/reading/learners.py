"""The platform's learners and our people, held together by external id alone."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select, update

from models import LmsLearner, User, any_of, reading
from reconcile.lms import contract
from reconcile.lms.contract import Learner
from reconcile.lms.lms_run import Errand
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.session import Session

MOST_TWINS = 1000


def link_learners(errand: Errand, session: Session, seen: SeenIds) -> None:
    """Read all learners; ``seen`` gets their ids.

    One of ours that is known there and not here is linked, one that is not archived although we archived
    it is compared anew. Of two with one external id of ours the one we do not use is archived.
    """
    twins: list[tuple[str, int]] = []
    for learners in contract.list_learners(session):
        errand.renew()
        page = [learner for learner in learners if learner.active]
        seen.add(learner.id for learner in page)
        twins += _link_page(errand, page)[: MOST_TWINS - len(twins)]
    for user_id, learner_id in twins:
        _settle_twin(errand, session, seen, user_id, learner_id)


def _link_page(errand: Errand, page: Sequence[Learner]) -> list[tuple[str, int]]:
    ids = {one.external_id: one.id for one in reversed(page) if one.external_id}
    with reading() as connection:
        ours = set(
            connection.execute(
                select(User.id).where(User.company_id == errand.company_id, any_of(User.id, list(ids)))
            ).scalars()
        )
        known = _load_known(connection, errand.company_id, list(ours))
    unknown = {user_id: ids[user_id] for user_id in ours if known.get(user_id, (None, False))[0] is None}
    awake = [user_id for user_id, (lms_id, archived) in known.items() if archived and lms_id == ids[user_id]]
    if unknown or awake:
        with errand.transaction() as connection:
            _link(connection, errand.company_id, unknown)
            _check_again(connection, errand.company_id, awake)
    mine = {user_id: lms_id for user_id, (lms_id, _archived) in known.items()} | unknown
    return [
        (one.external_id, one.id)
        for one in page
        if one.external_id in mine and mine[one.external_id] not in (None, one.id)
    ]


def _load_known(
    connection: Connection, company_id: str, ids: Sequence[str]
) -> dict[str, tuple[int | None, bool]]:
    columns = (LmsLearner.user_id, LmsLearner.lms_id, LmsLearner.archived)
    statement = select(*columns).where(LmsLearner.company_id == company_id, any_of(LmsLearner.user_id, ids))
    return {user_id: (lms_id, archived) for user_id, lms_id, archived in connection.execute(statement)}


def _link(connection: Connection, company_id: str, found: Mapping[str, int]) -> None:
    for user_id, lms_id in found.items():
        row = (LmsLearner.company_id == company_id, LmsLearner.user_id == user_id)
        values = {"lms_id": lms_id, "delivery": "to_check", "archived": False}
        if connection.execute(update(LmsLearner).where(*row).values(**values)).rowcount == 0:
            connection.execute(insert(LmsLearner).values(company_id=company_id, user_id=user_id, **values))


def _check_again(connection: Connection, company_id: str, ids: Sequence[str]) -> None:
    statement = update(LmsLearner).where(LmsLearner.company_id == company_id, any_of(LmsLearner.user_id, ids))
    connection.execute(statement.values(archived=False, delivery="to_check"))


def _settle_twin(errand: Errand, session: Session, seen: SeenIds, user_id: str, learner_id: int) -> None:
    """Two learners for one person: a creation was carried out twice, or ours was deleted and made anew."""
    with reading() as connection:
        lms_id, archived = _load_known(connection, errand.company_id, [user_id])[user_id]
    if lms_id is None or archived or seen.find([lms_id]):
        contract.archive_learner(session, learner_id)
        return
    with errand.transaction() as connection:
        _link(connection, errand.company_id, {user_id: learner_id})
