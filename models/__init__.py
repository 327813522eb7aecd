"""The tables, one noun per file. Importing this package registers all of them."""

from models.assignments import Assignment
from models.base import Base, UTCDateTime, new_id, utcnow
from models.catalog import Alias, Catalog, Course, Journey, Rule
from models.companies import AccessToken, Company, PeopleCount, TokenUse
from models.flags import Flag
from models.groups import Group, GroupMember
from models.lms import LmsLearner, LmsRefusal, LmsState
from models.operators import (
    DailyFigure,
    Operator,
    OperatorSession,
    SignInAttempt,
    SignInLink,
    SingleSignOn,
)
from models.overrides import Exemption, ExemptionProposal, Pin, Suppression
from models.provisioning_log import LogEntry, RequestCount
from models.runs import Lease, PlannedChange, QueueEntry, Run
from models.sql.engine import (
    DatabaseBusy,
    db,
    engine,
    init_database,
    is_awaited,
    open_connection,
    open_snapshot,
    reading,
    writing,
)
from models.sql.lists import any_of
from models.sql.prepared import Prepared
from models.users import User, UserEmail

__all__ = [
    "AccessToken",
    "Alias",
    "Assignment",
    "Base",
    "Catalog",
    "Company",
    "Course",
    "DailyFigure",
    "DatabaseBusy",
    "Exemption",
    "ExemptionProposal",
    "Flag",
    "Group",
    "GroupMember",
    "Journey",
    "Lease",
    "LmsLearner",
    "LmsRefusal",
    "LmsState",
    "LogEntry",
    "Operator",
    "OperatorSession",
    "PeopleCount",
    "Pin",
    "PlannedChange",
    "Prepared",
    "QueueEntry",
    "RequestCount",
    "Rule",
    "Run",
    "SignInAttempt",
    "SignInLink",
    "SingleSignOn",
    "Suppression",
    "TokenUse",
    "User",
    "UserEmail",
    "UTCDateTime",
    "any_of",
    "db",
    "engine",
    "init_database",
    "is_awaited",
    "new_id",
    "open_connection",
    "open_snapshot",
    "reading",
    "utcnow",
    "writing",
]
