"""Where the service answers, as far as a command of another process can know."""

from pathlib import Path

from flask import current_app
from sqlalchemy.engine import make_url

from config import Config


def find_address() -> str:
    """How the world reaches the service; empty where it is deployed and PUBLIC_URL does not say."""
    config: Config = current_app.config["HERDBOOK"]
    if config.public_url or config.is_deployed:
        return config.public_url or ""
    kept = _file(config)
    return kept.read_text("utf-8") if kept and kept.exists() else f"http://127.0.0.1:{config.port}"


def remember_address(url: str) -> None:
    """Where `make run` serves on this laptop, kept beside its database."""
    if kept := _file(current_app.config["HERDBOOK"]):
        kept.write_text(url, "utf-8")


def _file(config: Config) -> Path | None:
    name = make_url(config.database_url).database
    return Path(name).parent / "address" if config.is_sqlite and name and Path(name).exists() else None
