"""Secrets that must be read again, sealed with keys derived from SECRET_KEY: one key for each purpose."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


class SealBroken(Exception):
    """Not sealed by us for this purpose, too old, or SECRET_KEY is another one now."""


def seal(text: str, purpose: str) -> str:
    """``text``, to be read by ``unseal`` for the same purpose only."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str, *, seconds: int | None = None) -> str:
    """The text; it may be ``seconds`` old at most. Raises ``SealBroken``."""
    try:
        return _fernet(purpose).decrypt(sealed.encode(), ttl=seconds).decode()
    except (InvalidToken, ValueError) as error:
        raise SealBroken(purpose) from error


def _fernet(purpose: str) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"herdbook {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derive.derive(str(current_app.secret_key).encode())))
