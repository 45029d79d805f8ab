"""What a person may say about a file; what is not said is found out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How text files are written.

    Attributes
    ----------
    separator : str or None
        The one character between cells; None finds it out.
    encoding : str or None
        A Python codec name such as `cp1252`; None finds it out.
    missing : tuple of str
        Placeholders that mean "not answered", such as `Select`; compared with the whole cell after stripping,
        case-sensitively.
    """

    separator: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()
