"""Files that people give to commands: what a spreadsheet or an editor saved, as text."""

from typing import BinaryIO

from cli.asking import Failed


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
