"""The process: ``python -m serving.server app``. Eight threads answer, and the scheduler runs beside them.

Heroku sets WEB_CONCURRENCY=2 by itself. One process is on purpose: memory is a dyno's limit, and a
second one would have a second scheduler (the lease makes that harmless, but not useful).
"""

import argparse
import errno
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, TextIO

from flask import Flask

from config import DEPLOYED, THREADS, SettingError, load_config
from serving.connections import RECEIVED_AT_ONCE, Door
from serving.parser import HEAD_LIMIT

GRACE_SECONDS = 10.0
"""Longest time requests may take to end after SIGTERM."""
LAST_SECONDS = 18.0
"""The same for everything: who sends SIGTERM sends SIGKILL some time later."""


def main() -> None:
    """Serve Herdbook until SIGTERM or Ctrl-C."""
    asked = _parse_arguments()
    try:
        # Settings first: a wrong one is told before the port is taken.
        config = load_config(required=(*DEPLOYED, "PORT") if asked.production else ())
        door = open_door(asked.host, config.port)
        to_stop = stop_by_signal(door)
        application = import_module(asked.application).create_app(config, production=asked.production)
    except SettingError as error:
        sys.exit(f"Error: {error}")
    configure_logging(config.log_level)
    sys.stdout.write(f"Herdbook answers at http://{asked.host}:{config.port}\n")
    sys.stdout.flush()
    serve_with_scheduler(application, door, to_stop)


def open_door(host: str, port: int) -> Door:
    """Bind and listen: whoever connects from now on waits until the application is there."""
    try:
        return Door(
            None,
            host=host,
            port=port,
            backlog=2048,
            threads=THREADS,
            ident="Herdbook",
            # The application itself believes one proxy in front.
            clear_untrusted_proxy_headers=False,
            # The door makes room, and the parser knows what a path takes.
            connection_limit=sys.maxsize,
            max_request_body_size=sys.maxsize,
            max_request_header_size=HEAD_LIMIT,
            recv_bytes=RECEIVED_AT_ONCE,
            inbuf_overflow=sys.maxsize,
            # Below it no thread waits for a client: what does not leave goes to a file.
            outbuf_overflow=256 * 1024,
            outbuf_high_watermark=256 * 1024 * 1024,
            log_socket_errors=False,
        )
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        hint = f"Port {port} is in use; perhaps Herdbook runs already." if taken else error.strerror
        raise SettingError(f"Herdbook cannot listen on {host}:{port}. {hint}") from None


def stop_by_signal(door: Door) -> list[Callable[[], None]]:
    """What SIGTERM and Ctrl-C call, in this order: functions that return at once."""
    to_stop: list[Callable[[], None]] = [door.request_stop]

    def handle(_number: int, _frame: Any) -> None:
        for stop in to_stop:
            stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
    return to_stop


def serve_with_scheduler(application: Flask, door: Door, to_stop: list[Callable[[], None]]) -> None:
    """Serve, ticking; then wait for the change in hand and write what was only counted."""
    from models.sql.engine import engine, limit_waiting
    from reconcile.runs.schedule import start_scheduler
    from scim.log.log import prune_log, save_counts

    with application.app_context():
        limit_waiting(engine())
    scheduler = start_scheduler(application, chores=[prune_log, save_counts])
    # The run in hand is told first, long before the requests have drained.
    to_stop.insert(0, scheduler.request_stop)
    serve(application, door)
    scheduler.stop()
    with application.app_context():
        save_counts()


def serve(application: Flask, door: Door) -> None:
    """Answer requests until the door is asked to stop, and those that are here by then."""
    door.application = application
    # What is loaded by now stays: the garbage collector need not look at it again.
    gc.freeze()
    door.run_until_stopped(GRACE_SECONDS)
    give_up = threading.Timer(LAST_SECONDS - GRACE_SECONDS, os._exit, [0])
    give_up.daemon = True
    give_up.start()


def configure_logging(level: str, stream: TextIO = sys.stdout) -> None:
    """One line per event on ``stream``; whoever runs the process collects them (a dyno has no files)."""
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=stream, level=level, format=line, force=True)
    # A tick every few seconds is no event; the runs it starts are told by the scheduler itself.
    logging.getLogger("apscheduler").setLevel("WARNING")
    # Nor is one that finds the run before it still at work.
    logging.getLogger("apscheduler.scheduler").setLevel("ERROR")
    # Nor is a request that waits for a thread, or a client that has gone.
    logging.getLogger("waitress").setLevel("ERROR")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving.server", description=main.__doc__)
    parser.add_argument("application", help="the module that has create_app()")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on; the port is PORT")  # noqa: S104
    parser.add_argument("--production", action="store_true", help="refuse to start on defaults")
    return parser.parse_args()


if __name__ == "__main__":
    main()
