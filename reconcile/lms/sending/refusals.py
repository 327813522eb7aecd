"""What the training platform refused for good: remembered, flagged, asked again once something changed."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, or_, select, update

from models import Assignment, Catalog, LmsLearner, LmsRefusal, User
from models import Flag as FlagRow
from models.assignments import KEY, PERSON, is_row, key_of, same_row
from reconcile.decide.types import Flag, OpenFlag
from reconcile.lms.sending.parcel import CONFLICT, REJECTED, Receipt
from reconcile.store.writer import Writer


def save_refusals(writer: Writer, refused: Sequence[Receipt]) -> None:
    """Remember ``refused`` with the versions they hold for, and open a flag for each."""
    if not refused:
        return
    version = select(Catalog.version).where(Catalog.company_id == writer.company_id)
    catalog_version = writer.connection.execute(version).scalar() or 0
    for one in refused:
        times = writer.connection.execute(_FORGET, key_of(one.item)).scalar() or 0
        writer.connection.execute(
            insert(LmsRefusal).values(
                **{name: getattr(one.item, name) for name in KEY},
                person_version=one.parcel.person_version,
                catalog_version=catalog_version,
                times=times + 1,
                detail=one.detail,
                refused_at=writer.now,
            )
        )
    raise_flags(writer, [_to_flag(one) for one in refused if not one.quiet])


def forget_refusals(writer: Writer, accepted: Iterable[Any]) -> None:
    """The platform took these assignments or learners after all, or nobody wants them any more."""
    for row in accepted:
        if writer.connection.execute(_FORGET, key_of(row)).first() is not None:
            lower_flags(writer, [(row.user_id, rule, row.course) for rule in (REJECTED, CONFLICT)])


_FORGET = delete(LmsRefusal).where(is_row(LmsRefusal)).returning(LmsRefusal.times)


def _to_flag(one: Receipt) -> tuple[str, Flag]:
    course, detail = one.item.course, one.detail
    if one.rule == REJECTED:
        detail = f"The training platform refused {course or 'the learner'}: {detail}"
    return one.item.user_id, Flag(one.rule, detail, course)


# --- asking again ---------------------------------------------------------------------------------

_HAS_CHANGED = or_(User.version != LmsRefusal.person_version, Catalog.version != LmsRefusal.catalog_version)
_SAME_PERSON = (User.company_id == LmsRefusal.company_id) & (User.id == LmsRefusal.user_id)
_REFUSALS = (
    select(
        *(getattr(LmsRefusal, name) for name in KEY),
        Assignment.delivery,
        User.version.label("person_version"),
        Catalog.version.label("catalog_version"),
        _HAS_CHANGED.label("has_changed"),
    )
    .join(User, _SAME_PERSON)
    .outerjoin(Catalog, Catalog.company_id == LmsRefusal.company_id)
    .outerjoin(Assignment, same_row(LmsRefusal))
    .where(LmsRefusal.company_id == bindparam("company"))
)
_ANY_TO_RELEASE = _REFUSALS.where(_HAS_CHANGED).limit(1)
_RETRY_ROW = (
    update(Assignment)
    .where(is_row(Assignment), Assignment.delivery == "rejected")
    .values(delivery=case((Assignment.withdrawn_at.is_(None), "to_send"), else_="to_withdraw"))
)
_OF_LEARNER = (is_row(LmsLearner, PERSON), LmsLearner.delivery == "refused")
_RETRY_LEARNER = (
    update(LmsLearner).where(*_OF_LEARNER, LmsLearner.lms_id.is_not(None)).values(delivery="to_check")
)
_MOVE_ON = (
    update(LmsRefusal)
    .where(is_row(LmsRefusal))
    .values(person_version=bindparam("person"), catalog_version=bindparam("catalog"))
)
_WAITING = (
    select(Assignment.course)
    .where(is_row(Assignment, PERSON), Assignment.withdrawn_at.is_(None))
    .where(Assignment.delivery.in_(("rejected", "to_send", "sending", "sent")))
    .limit(1)
)
_FORGET_LEARNER = delete(LmsLearner).where(*_OF_LEARNER, LmsLearner.lms_id.is_(None))


def has_changed_refusals(connection: Connection, company_id: str) -> bool:
    """Whether anything refused may be asked again."""
    return connection.execute(_ANY_TO_RELEASE, {"company": company_id}).first() is not None


def release_refusals(writer: Writer) -> None:
    """Put back in the outbox what was refused under another version of the person or the catalog."""
    connection = writer.connection
    for found in connection.execute(_REFUSALS, {"company": writer.company_id}).all():
        if not _is_waiting(connection, found):
            forget_refusals(writer, [found])
        elif found.has_changed:
            for statement in (_RETRY_ROW,) if found.course else (_RETRY_LEARNER, _FORGET_LEARNER):
                connection.execute(statement, key_of(found))
            versions = {"person": found.person_version, "catalog": found.catalog_version or 0}
            connection.execute(_MOVE_ON, key_of(found) | versions)


def _is_waiting(connection: Connection, found: Any) -> bool:
    """Whether anybody still wants what was refused."""
    if found.course:
        return found.delivery not in (None, "withdrawn", "sent")
    return connection.execute(_WAITING, key_of(found)).first() is not None


# --- flags ----------------------------------------------------------------------------------------


def raise_flags(writer: Writer, flags: Iterable[tuple[str, Flag]]) -> None:
    """Open flags, given as (user_id, or empty for the company; flag), in place of one that says otherwise."""
    for user_id, flag in flags:
        if _is_raised(writer, user_id, flag):
            continue
        lower_flags(writer, [(user_id, flag.rule, flag.subject)])
        writer.open_flags([(user_id, flag)])
        writer.flags["opened"] += 1


def _is_raised(writer: Writer, user_id: str, flag: Flag) -> bool:
    """Whether the same flag is open already: it keeps the day since when."""
    same = select(FlagRow.id).filter_by(
        company_id=writer.company_id,
        user_id=user_id,
        rule=flag.rule,
        subject=flag.subject,
        detail=flag.detail,
    )
    return writer.connection.execute(same.where(FlagRow.closed_at.is_(None))).first() is not None


def lower_flags(writer: Writer, names: Iterable[tuple[str, str, str]]) -> None:
    """Close flags, given as (user_id, or empty for the company; rule; subject)."""
    flags = [(user_id, OpenFlag(rule, subject)) for user_id, rule, subject in names]
    writer.flags["closed"] += writer.close_flags(flags)
