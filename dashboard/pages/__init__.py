"""The routes, split by page. Importing this package hangs all of them on the blueprint."""

from flask import Flask

from dashboard.blueprint import PageMessages, pages
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
    single_sign_on,
)

ROUTES = (
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
    single_sign_on,
)


def init_dashboard(app: Flask) -> None:
    """Attach every page."""
    app.register_blueprint(pages)
    app.session_interface = PageMessages()
