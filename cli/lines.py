"""CSV files, line by line: what the first one names, and what became of the others."""

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TextIO

import click
from tqdm import tqdm

from cli.asking import PARTLY, Failed


def each_line(
    file: TextIO,
    take: Callable[[Mapping[str, str]], None],
    *,
    known: Collection[str],
    required: Collection[str],
    unusable: type[Exception],
) -> None:
    """Give each line of a CSV file to ``take``; tell of the ``unusable`` ones and exit accordingly."""
    lines = [*_read_lines(file, known, required)]
    problems = []
    for number, line in tqdm(lines, unit=" lines", disable=None, leave=False):
        try:
            take(line)
        except unusable as error:
            problems.append(f"line {number}: {error}")
    click.echo(f"{len(lines) - len(problems)} of {len(lines)} lines were taken.")
    if problems:
        click.echo("\n".join(problems), err=True)
        click.get_current_context().exit(PARTLY)


def _read_lines(
    file: TextIO, known: Collection[str], required: Collection[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """``(line number, column -> text)`` of each; spreadsheets write ``;`` where comma is the decimal sign."""
    head = file.readline()
    delimiter = max(",;\t", key=head.count)
    names = [_to_column(name, known) for name in next(csv.reader([head], delimiter=delimiter), [])]
    if missing := [name for name in required if name not in names]:
        raise Failed(f"The first line has no column {', '.join(missing)}; it may have {', '.join(known)}.")
    reader = csv.DictReader(file, names, delimiter=delimiter, restval="")
    for row in reader:
        yield reader.line_num + 1, {name: text for name, text in row.items() if name in known}


def _to_column(name: str, known: Collection[str]) -> str:
    """The column meant: case, spaces, hyphens and underscores do not matter."""
    folded = {_fold(each): each for each in known}
    if _fold(name) not in folded:
        raise Failed(f"The first line has an unknown column {name!r}; it may have {', '.join(known)}.")
    return folded[_fold(name)]


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
