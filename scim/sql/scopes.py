"""Where the paths of a filter lead in SQL: into the shadow document, one of its lists, or columns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import and_, case, false, or_, select, true
from sqlalchemy import literal_column as literal

from scim.schemas.attributes import fold
from scim.schemas.paths import Path
from scim.sql.json_values import Cell, Condition, JsonSql, Steps

Test = Callable[[Cell], Condition]


class Scope(ABC):
    """A resource, or one element of a multi-valued attribute."""

    @abstractmethod
    def any_value(self, path: Path, test: Test) -> Condition:
        """One of the values at ``path`` passes ``test``."""

    @abstractmethod
    def is_present(self, path: Path) -> Condition:
        """Something at ``path`` is neither null nor empty."""

    def some(self, path: Path, test: Callable[["Scope"], Condition]) -> Condition:
        """One element of the multi-valued attribute at ``path`` passes ``test``; an element has none."""
        return false()

    def look_up(self, path: Path, key: Any) -> Condition | None:
        """``path eq key`` through an index, where there is one."""
        return None


class JsonScope(Scope):
    """A shadow document: each multi-valued or verbatim attribute is a list of objects there."""

    def __init__(self, json: Any, sql: JsonSql) -> None:
        self.json, self.sql = json, sql

    def any_value(self, path: Path, test: Test) -> Condition:
        if not _is_list(path):
            return test(self.sql.cell(self.json, _steps(path)))
        rows, _, element = self._elements(path)
        return _exists(rows, test(self.sql.cell(element, _sub(path))))

    def is_present(self, path: Path) -> Condition:
        if not (path.sub and _is_list(path)):
            return self.sql.is_present(self.json, _steps(path))
        rows, _, element = self._elements(path)
        return _exists(rows, self.sql.is_present(element, _sub(path)))

    def some(self, path: Path, test: Callable[[Scope], Condition]) -> Condition:
        rows, _, element = self._elements(path)
        return _exists(rows, test(ElementScope(element, self.sql)))

    def sort_value(self, path: Path) -> Any:
        """The value rows are sorted by: of several the primary one, else the first (RFC 7644 3.4.2.3)."""
        if not _is_list(path):
            return _sort_cell(self.sql.cell(self.json, _steps(path)), path)
        rows, place, element = self._elements(path)
        primary = self.sql.cell(element, ("primary",))
        value = _sort_cell(self.sql.cell(element, _sub(path) or ("value",)), path)
        first = case((and_(primary.is_boolean, primary.boolean), literal("0")), else_=literal("1"))
        return select(value).select_from(rows).order_by(first, place).limit(1).scalar_subquery()

    def _elements(self, path: Path) -> tuple[Any, Any, Any]:
        """The list that holds ``path``: what to select from, an element's place, the element."""
        return self.sql.each(self.json, _steps(Path(path.attribute, None, path.urn)))[:3]


class ElementScope(Scope):
    """One element of a list: an object, whose undeclared members may hold a value or a list of them."""

    def __init__(self, json: Any, sql: JsonSql) -> None:
        self.json, self.sql = json, sql

    def any_value(self, path: Path, test: Test) -> Condition:
        steps = (path.attribute.key,)
        found = test(self.sql.cell(self.json, steps))
        if not path.attribute.verbatim:
            return found
        rows, _, _, each = self.sql.each(self.json, steps)
        return or_(found, _exists(rows, test(each)))

    def is_present(self, path: Path) -> Condition:
        return self.sql.is_present(self.json, (path.attribute.key,))


class ColumnScope(Scope):
    """One row of another table that stands for an element: folded sub-attribute name -> text expression."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns

    def any_value(self, path: Path, test: Test) -> Condition:
        column = self.columns.get(path.attribute.key)
        return false() if column is None else test(text_cell(column))

    def is_present(self, path: Path) -> Condition:
        column = self.columns.get(path.attribute.key)
        return false() if column is None else and_(column.is_not(None), column != literal("''"))


def text_cell(column: Any) -> Cell:
    """A column that holds comparable text."""
    return Cell(true(), column, false(), column, false(), column)


def boolean_cell(column: Any) -> Cell:
    """A boolean column."""
    return Cell(false(), column, false(), column, true(), column)


def _exists(rows: Any, condition: Condition) -> Condition:
    return select(literal("1")).select_from(rows).where(condition).exists()


def _is_list(path: Path) -> bool:
    return path.attribute.multi_valued or path.attribute.verbatim


def _sub(path: Path) -> Steps:
    return (path.sub.key,) if path.sub else ()


def _steps(path: Path) -> Steps:
    urn = (fold(path.urn),) if path.urn else ()
    return *urn, path.attribute.key, *_sub(path)


def _sort_cell(cell: Cell, path: Path) -> Any:
    if path.leaf.type == "boolean":
        return case((cell.is_boolean, cell.boolean))
    return case((cell.is_text, cell.text))
