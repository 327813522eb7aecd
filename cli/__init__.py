"""The commands, a thin layer over the packages: ``flask --app app ...``."""

from flask import Flask

from cli import catalogs, companies, database, operators, people, runs


def init_commands(app: Flask) -> None:
    """Attach every command."""
    for module in (companies, operators, catalogs, people, runs, database):
        for command in module.COMMANDS:
            app.cli.add_command(command)
