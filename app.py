"""The application: the only module that knows every part."""

from pathlib import Path

from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from werkzeug.middleware.proxy_fix import ProxyFix

from cli import init_commands
from config import DEPLOYED, THREADS, Config, load_config
from dashboard.pages import init_dashboard
from models import init_database
from scim.routes import blueprint as scim
from serving.probes import init_probes

CONNECTIONS = THREADS + 1 + 8
"""One for each request being answered, for the scheduler and for each sender to the training platform."""


def create_app(config: Config | None = None, *, production: bool = False) -> Flask:
    """Build the application. Starts no thread: the scheduler belongs to ``serving.server``.

    ``production`` is what the Procfile says: refuse (``SettingError``) to come up on defaults.
    """
    config = config or load_config(required=(*DEPLOYED, "PORT") if production else ())
    app = Flask(__name__, static_folder=None)
    # No view of ours is a coroutine; Flask would look at each one at every request.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    app.config.update(
        HERDBOOK=config,
        TESTING=config.testing,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
    )
    # One hop: Heroku's router, or the one proxy in front. PUBLIC_URL, where set, goes before it.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    _make_folder(config)
    init_database(app)
    _register_parts(app)
    return app


def _engine_options(config: Config) -> dict[str, object]:
    if config.testing:
        return {"poolclass": NullPool}
    return {
        "pool_size": CONNECTIONS,
        "max_overflow": THREADS,
        "pool_pre_ping": not config.is_sqlite,
        # The one used last still holds in memory what it read, which another's write makes worthless.
        "pool_use_lifo": True,
    }


def _make_folder(config: Config) -> None:
    """Where SQLite's file will be, and the file: its owner's alone, as what SQLite puts beside it."""
    name = make_url(config.database_url).database
    if not (config.is_sqlite and name) or name.startswith((":", "file:")):
        return
    path = Path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def _register_parts(app: Flask) -> None:
    init_probes(app)
    app.register_blueprint(scim)
    init_dashboard(app)
    init_commands(app)
