"""The routes, split by page. Importing this package hangs all of them on the blueprint."""

from dashboard.blueprint import pages as blueprint
from dashboard.pages import (
    account,
    assignments,
    catalog,
    catalog_file,
    flags,
    integrations,
    learners,
    log,
    overview,
    person,
    runs,
    settings,
    sign_in,
    single_sign_on,
)

__all__ = [
    "account",
    "assignments",
    "blueprint",
    "catalog",
    "catalog_file",
    "flags",
    "integrations",
    "learners",
    "log",
    "overview",
    "person",
    "runs",
    "settings",
    "sign_in",
    "single_sign_on",
]
