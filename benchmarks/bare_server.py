"""Serve a program as Herdbook is served, but without a scheduler: the limit program, the bare one."""

import argparse
import os
from importlib import import_module

from serving.server import open_door, serve, stop_by_signal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the module that has the application, app")
    parser.add_argument("--host", default="127.0.0.1")
    asked = parser.parse_args()
    door = open_door(asked.host, int(os.environ["PORT"]))
    stop_by_signal(door)
    serve(import_module(asked.program).app, door)


if __name__ == "__main__":
    main()
