"""How an answer leaves."""

from typing import Any

from flask import Response
from werkzeug.datastructures import Headers

MEDIA_TYPE = "application/scim+json"


class ScimResponse(Response):
    """An answer to an IdP: JSON text, its headers complete as they are."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Werkzeug corrects headers of any response; of ours only those of an odd status or host need it."""
        is_odd = self.status_code in (204, 304) or not self.headers.get("Location", "").isascii()
        return super().get_wsgi_headers(environ) if is_odd else self.headers


def respond(text: str, status: int = 200) -> ScimResponse:
    """The answer with this JSON text."""
    return ScimResponse(text, status, content_type=MEDIA_TYPE)
