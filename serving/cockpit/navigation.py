"""Which pages there are, in the order in which they stand at the top of each, and whose first page is which."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from fastapi import APIRouter

from serving.auth.keys import Role
from serving.cockpit import pages


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the navigation leads to. Its name is the text `navigation.NAME`.

    Attributes
    ----------
    order : int
        The smallest stands first.
    first_for : tuple of Role
        Who gets this page when they open the cockpit.
    """

    name: str
    address: str
    order: int
    first_for: tuple[Role, ...] = ()


def routers() -> Iterator[APIRouter]:
    """The router of every page."""
    for module in _modules():
        yield module.router


@cache
def entries() -> tuple[Entry, ...]:
    """The pages that the navigation leads to."""
    found = [module.NAVIGATION for module in _modules() if hasattr(module, "NAVIGATION")]
    return tuple(sorted(found, key=lambda entry: entry.order))


def first_page(role: Role) -> str:
    """The address of the page that somebody of this role sees first."""
    own = [entry for entry in entries() if role in entry.first_for]
    return (own or entries())[0].address


def _modules() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(pages.__path__))
    return [import_module(f"{pages.__name__}.{name}") for name in names]
