"""What the training platform refused for good: remembered, flagged, asked again once something changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, insert, or_, select, update

from models import Assignment, Catalog, LmsLearner, LmsRefusal, User
from models import Flag as FlagRow
from reconcile.decide.types import Flag, OpenFlag
from reconcile.lms.sending.parcel import CONFLICT, REJECTED
from reconcile.store.writer import Writer

_KEY = ("company_id", "user_id", "course", "cycle")


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal; ``course`` is empty and ``cycle`` 0 where the learner was refused."""

    user_id: str
    person_version: int
    detail: str
    course: str = ""
    cycle: int = 0
    rule: str = REJECTED
    quiet: bool = False
    """Follows from a refusal that is flagged already."""


def save_refusals(writer: Writer, refused: Sequence[Refused]) -> None:
    """Remember ``refused`` with the versions they hold for, and open a flag for each."""
    version = select(Catalog.version).where(Catalog.company_id == writer.company_id)
    catalog_version = writer.connection.execute(version).scalar() or 0
    for one in refused:
        times = writer.connection.execute(_FORGET, _key(writer, one)).scalar() or 0
        writer.connection.execute(
            insert(LmsRefusal).values(
                company_id=writer.company_id,
                user_id=one.user_id,
                course=one.course,
                cycle=one.cycle,
                person_version=one.person_version,
                catalog_version=catalog_version,
                times=times + 1,
                detail=one.detail,
                refused_at=writer.now,
            )
        )
    raise_flags(writer, [one for one in refused if not one.quiet])


def forget_refusals(writer: Writer, accepted: Iterable[tuple[str, str, int]]) -> None:
    """The platform took them after all, or nobody wants them any more: (user_id, course, cycle)."""
    for user_id, course, cycle in accepted:
        one = Refused(user_id, 0, "", course, cycle)
        if writer.connection.execute(_FORGET, _key(writer, one)).first() is not None:
            lower_flags(writer, [(user_id, rule, course) for rule in (REJECTED, CONFLICT)])


_FORGET = (
    delete(LmsRefusal)
    .where(*(getattr(LmsRefusal, name) == bindparam(f"key_{name}") for name in _KEY))
    .returning(LmsRefusal.times)
)


def _key(writer: Writer, one: Refused) -> dict[str, Any]:
    values = (writer.company_id, one.user_id, one.course, one.cycle)
    return {f"key_{name}": value for name, value in zip(_KEY, values, strict=True)}


# --- asking again ---------------------------------------------------------------------------------

_HAS_CHANGED = or_(User.version != LmsRefusal.person_version, Catalog.version != LmsRefusal.catalog_version)
_SAME_ROW = and_(*(getattr(Assignment, name) == getattr(LmsRefusal, name) for name in _KEY))
_SAME_PERSON = (User.company_id == LmsRefusal.company_id) & (User.id == LmsRefusal.user_id)
_REFUSALS = (
    select(
        LmsRefusal.user_id,
        LmsRefusal.course,
        LmsRefusal.cycle,
        Assignment.delivery,
        User.version.label("person_version"),
        Catalog.version.label("catalog_version"),
        _HAS_CHANGED.label("has_changed"),
    )
    .join(User, _SAME_PERSON)
    .outerjoin(Catalog, Catalog.company_id == LmsRefusal.company_id)
    .outerjoin(Assignment, _SAME_ROW)
    .where(LmsRefusal.company_id == bindparam("company"))
)
_ANY_TO_RELEASE = _REFUSALS.where(_HAS_CHANGED).limit(1)
_RETRY_ROW = (
    update(Assignment)
    .where(*(getattr(Assignment, name) == bindparam(f"key_{name}") for name in _KEY))
    .where(Assignment.delivery == "rejected")
    .values(delivery=case((Assignment.withdrawn_at.is_(None), "to_send"), else_="to_withdraw"))
)
_OF_LEARNER = (
    LmsLearner.company_id == bindparam("key_company_id"),
    LmsLearner.user_id == bindparam("key_user_id"),
    LmsLearner.delivery == "refused",
)
_RETRY_LEARNER = (
    update(LmsLearner).where(*_OF_LEARNER, LmsLearner.lms_id.is_not(None)).values(delivery="to_check")
)
_MOVE_ON = (
    update(LmsRefusal)
    .where(*(getattr(LmsRefusal, name) == bindparam(f"key_{name}") for name in _KEY))
    .values(person_version=bindparam("person"), catalog_version=bindparam("catalog"))
)
_WAITING = (
    select(Assignment.course)
    .where(
        Assignment.company_id == bindparam("key_company_id"), Assignment.user_id == bindparam("key_user_id")
    )
    .where(
        Assignment.delivery.in_(("rejected", "to_send", "sending", "sent")), Assignment.withdrawn_at.is_(None)
    )
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
        key = _key(writer, Refused(found.user_id, 0, "", found.course, found.cycle))
        if not _is_waiting(connection, key, found):
            forget_refusals(writer, [(found.user_id, found.course, found.cycle)])
        elif found.has_changed:
            for statement in (_RETRY_ROW,) if found.course else (_RETRY_LEARNER, _FORGET_LEARNER):
                connection.execute(statement, key)
            versions = {"person": found.person_version, "catalog": found.catalog_version or 0}
            connection.execute(_MOVE_ON, key | versions)


def _is_waiting(connection: Connection, key: dict[str, Any], found: Any) -> bool:
    """Whether anybody still wants what was refused."""
    if found.course:
        return found.delivery not in (None, "withdrawn", "sent")
    return connection.execute(_WAITING, key).first() is not None


# --- flags ----------------------------------------------------------------------------------------


def raise_flags(writer: Writer, problems: Iterable[Refused]) -> None:
    """Open a flag for each, in place of an open one that says otherwise."""
    for one in problems:
        flag = Flag(one.rule, _say_refusal(one), one.course)
        if _is_raised(writer, one.user_id, flag):
            continue
        lower_flags(writer, [(one.user_id, one.rule, one.course)])
        writer.open_flags([(one.user_id, flag)])
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


def _say_refusal(one: Refused) -> str:
    if one.rule != REJECTED:
        return one.detail
    return f"The training platform refused {one.course or 'the learner'}: {one.detail}"


def lower_flags(writer: Writer, names: Iterable[tuple[str, str, str]]) -> None:
    """Close flags, given as (user_id, or empty for the company; rule; subject)."""
    flags = [(user_id, OpenFlag(rule, subject)) for user_id, rule, subject in names]
    writer.flags["closed"] += writer.close_flags(flags)
