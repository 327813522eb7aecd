"""Flask's own session carries nothing but the messages shown on the next page."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class PageMessages(SecureCookieSessionInterface):
    """No IdP reads messages: a SCIM request neither opens a session nor saves one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if request.path.startswith("/scim/") else super().open_session(app, request)
