"""The application: the only module that knows every part."""

from flask import Flask
from sqlalchemy.pool import NullPool

from config import Config, load_config
from models import init_database


def create_app(config: Config | None = None) -> Flask:
    """Build the application. Starts no thread: the scheduler belongs to ``gunicorn.conf.py``."""
    config = config or load_config()
    app = Flask(__name__, static_folder=None)
    app.config.update(
        HERDBOOK=config,
        TESTING=config.testing,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
    )
    init_database(app)
    _register_parts(app)
    return app


def _engine_options(config: Config) -> dict[str, object]:
    if config.testing:
        return {"poolclass": NullPool}
    return {"pool_size": 24, "max_overflow": 8, "pool_pre_ping": not config.database_url.startswith("sqlite")}


def _register_parts(app: Flask) -> None:
    """Blueprints and commands."""
