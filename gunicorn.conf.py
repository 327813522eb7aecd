"""How gunicorn serves Herdbook: one worker with threads, and the scheduler beside it.

Heroku sets WEB_CONCURRENCY=2 by itself. One worker is on purpose: memory is a dyno's limit, and a
second process would have a second scheduler (the lease makes that harmless, but not useful).
"""

import gc
import sys
from typing import Any

from config import DEPLOYED, THREADS, SettingError, load_config

# Before anything is bound: gunicorn would choke on a PORT of letters, and say that it answers first.
try:
    load_config(required=(*DEPLOYED, "PORT") if "production=True" in "".join(sys.argv) else ())
except SettingError as error:
    sys.exit(f"Error: {error}")

workers = 1
threads = THREADS
worker_class = "serving.arrivals.PatientWorker"
keepalive = 75
graceful_timeout = 10
control_socket_disable = True
# The application measures the URL itself and answers 414 as a SCIM error; gunicorn would answer in HTML.
limit_request_line = 0
loglevel = "warning"


def when_ready(server: Any) -> None:
    """Say where, once the port is ours."""
    sys.stdout.write(f"Herdbook answers at {', '.join(map(str, server.LISTENERS))}\n")
    sys.stdout.flush()


def post_worker_init(worker: Any) -> None:
    """The worker serves: log to standard output, and start ticking."""
    from app import configure_logging
    from reconcile.runs.schedule import start_scheduler
    from scim.log.log import prune_log

    configure_logging(worker.wsgi.config["HERDBOOK"].log_level, sys.stdout)
    worker.scheduler = start_scheduler(worker.wsgi, chores=[prune_log])
    # What is loaded by now stays: the garbage collector need not look at it again.
    gc.freeze()


def worker_exit(_server: Any, worker: Any) -> None:
    """The requests have drained: wait for the change in hand, and write what was only counted."""
    from scim.log.tally import save_counts

    if worker.scheduler:
        worker.scheduler.stop()
        with worker.wsgi.app_context():
            save_counts()
