"""What the address of a page asks for: read piece by piece, with every fault collected and told in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from starlette.datastructures import QueryParams

from features.errors import Problem
from features.text import Text, same
from serving.errors import ApiError

LONGEST: Final = 200
LARGEST: Final = 10**9


class Asked:
    """The query string of a page. Read everything, then `check`; what does not fit reads as its default until then."""

    def __init__(self, query: QueryParams) -> None:
        self._query = query
        self._faults: list[Problem] = []

    def text(self, name: str, default: str = "", *, longest: int = LONGEST) -> str:
        """The text under `name`, without blanks around it."""
        value = self._query.get(name, "").strip()
        if len(value) > longest or "\x00" in value:
            self._faults.append(_misfit(name, value, SHORTER))
            return default
        return value or default

    def one_of(self, name: str, values: Iterable[str], default: str = "") -> str:
        """One of `values`."""
        known = tuple(values)
        value = self.text(name, default)
        if value == default or value in known:
            return value
        self._faults.append(_misfit(name, value, Text(f"one of: {', '.join(known)}", f"eines von: {', '.join(known)}")))
        return default

    def whole(self, name: str, default: int, *, at_least: int = 0, at_most: int = LARGEST) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        if not value:
            return default
        if value.isascii() and value.isdigit() and len(value) < 12 and at_least <= int(value) <= at_most:
            return int(value)
        expected = Text(f"a whole number from {at_least} to {at_most}", f"eine ganze Zahl von {at_least} bis {at_most}")
        self._faults.append(_misfit(name, value, expected))
        return default

    def day(self, name: str, default: date | None = None) -> date | None:
        """A day as the field of a form sends it."""
        value = self.text(name)
        if not value:
            return default
        try:
            if len(value) == len("2026-01-31"):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self._faults.append(_misfit(name, value, same("2026-01-31")))
        return default

    def yes(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.one_of(name, ("0", "1"), "0") == "1"

    def refuse(self, name: str, value: str, expected: Text) -> None:
        """Note another fault, which the page itself has found."""
        self._faults.append(_misfit(name, value, expected))

    def check(self) -> None:
        """Return if everything fitted.

        Raises
        ------
        ApiError
            With every fault; the visitor gets a page that lists them.
        """
        if self._faults:
            raise ApiError("invalid_request", problems=self._faults)


def _misfit(name: str, value: str, expected: Text) -> Problem:
    what = Text("this does not fit", "das passt nicht")
    return Problem(where=name, what=what, seen=value[:LONGEST], expected=expected, code="misfit")


SHORTER = Text(f"at most {LONGEST} characters", f"höchstens {LONGEST} Zeichen")
