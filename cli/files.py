"""Files that people give to commands: what a spreadsheet or an editor saved, as text or line by line."""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import BinaryIO

import click
from tqdm import tqdm

from cli.asking import PARTLY, Failed

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""Spreadsheets write ``;`` where comma is the decimal sign."""


class UnusableLine(Exception):
    """A line that does not fit the first one; the message says how."""


def each_line(
    file: BinaryIO,
    take: Callable[[Mapping[str, str]], str | None],
    *,
    known: Collection[str],
    required: Collection[str],
    unusable: type[Exception],
) -> None:
    """Give each line of a CSV file to ``take``; tell of the ``unusable`` ones and exit accordingly.

    What ``take`` returns is said about a line that was taken.
    """
    text = read_text(file, "CSV UTF-8")
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    (_, head), *lines = [*_read_lines(text, delimiter)] or [(1, [])]
    names = _read_names(head, known, required)
    problems, remarks = [], []
    for number, cells in tqdm(lines, unit=" lines", disable=None, leave=False):
        try:
            remark = take(_fit(names, cells, DELIMITERS[delimiter]))
        except (UnusableLine, unusable) as error:
            problems.append(f"line {number}: {error}")
        else:
            remarks += [f"line {number}: {remark}"] if remark else []
    click.echo("\n".join([f"{len(lines) - len(problems)} of {len(lines)} lines were taken.", *remarks]))
    if problems:
        click.echo("\n".join(problems), err=True)
        click.get_current_context().exit(PARTLY)


def read_text(file: BinaryIO, form: str) -> str:
    """The whole file as text; ``Failed`` with what to do about it where it is no UTF-8."""
    content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong_letters(file, content.count(b"\n", 0, error.start) + 1, form) from None
    # UTF-16 without accents is UTF-8, too, with a NUL after each letter.
    if "\x00" in text:
        raise _wrong_letters(file, text.count("\n", 0, text.index("\x00")) + 1, form)
    return text


def _wrong_letters(file: BinaryIO, line: int, form: str) -> Failed:
    return Failed(f"{getattr(file, 'name', 'The file')}, line {line}: this is no UTF-8. Save it as {form}.")


def _read_lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """``(number of its first line, cells)`` of each; a quoted cell may go on over several lines."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Failed(
                f"Line {number}: a quote that begins here is not closed, or goes on after it is ({error})."
                " Nothing was taken."
            ) from None
        if cells is None:
            return
        if cells:
            yield number, cells


def _read_names(head: list[str], known: Collection[str], required: Collection[str]) -> list[str]:
    names = [_to_column(name, known) for name in head]
    if missing := [name for name in required if name not in names]:
        raise Failed(f"The first line has no column {', '.join(missing)}; it may have {', '.join(known)}.")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise Failed(f"The first line names {', '.join(twice)} more than once. Nothing was taken.")
    return names


def _fit(names: list[str], cells: list[str], delimiter: str) -> dict[str, str]:
    """Column -> text. A cell missing or too many would clear, or move, what people have."""
    if len(cells) != len(names):
        found = f"{len(cells)} cell{'s' if len(cells) > 1 else ''}"
        advice = f"quote a value that holds a {delimiter}"
        named = f"{len(names)} column{'s are' if len(names) > 1 else ' is'} named"
        raise UnusableLine(f"{found} where {named}; {advice}")
    return dict(zip(names, cells, strict=True))


def _to_column(name: str, known: Collection[str]) -> str:
    """The column meant: case, spaces, hyphens and underscores do not matter."""
    folded = {_fold(each): each for each in known}
    if _fold(name) not in folded:
        raise Failed(f"The first line has an unknown column {name!r}; it may have {', '.join(known)}.")
    return folded[_fold(name)]


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
