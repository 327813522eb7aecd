"""Passwords: scrypt, the same time for a right one, a wrong one and one of an unknown account."""

import functools
import secrets
import threading

from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST, LONGEST = 10, 200

# One scrypt takes 32 MB: two at a time keep a burst of sign-ins within a small dyno.
_room = threading.BoundedSemaphore(2)


def find_mistake(password: str) -> str | None:
    """Why ``password`` cannot be taken, or None. Length is what counts (NIST SP 800-63B 5.1.1)."""
    if len(password) < SHORTEST:
        return f"At least {SHORTEST} characters, please."
    if len(password) > LONGEST:
        return f"At most {LONGEST} characters, please."
    return None


def to_hash(password: str) -> str:
    """A salted scrypt hash, its parameters with it."""
    with _room:
        return generate_password_hash(password, method="scrypt")


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` fits; without a hash it takes as long, and does not."""
    with _room:
        fits = check_password_hash(password_hash or _hash_of_nobody(), password[:LONGEST])
    return fits and password_hash is not None


@functools.cache
def _hash_of_nobody() -> str:
    return generate_password_hash(secrets.token_hex(16), method="scrypt")
