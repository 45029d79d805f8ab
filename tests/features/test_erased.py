"""The list of erased leads that the service writes and training reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.erased import FIRST_LINE, lead_hash, read_erased, write_erased
from features.errors import HistoryError


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    hashes = {lead_hash(lead_id) for lead_id in ("L1", "L2", "Ü3")}
    assert write_erased(tmp_path / "erased.txt", [*hashes, *hashes]) == 3
    assert read_erased(tmp_path / "erased.txt") == hashes


def test_a_list_of_nobody_is_a_list(tmp_path: Path) -> None:
    assert write_erased(tmp_path / "erased.txt", []) == 0
    assert read_erased(tmp_path / "erased.txt") == frozenset()


@pytest.mark.parametrize("text", ["", f"{lead_hash('L1')}\n", f"{FIRST_LINE}\nL1\n", f"{FIRST_LINE}\n{'0' * 63}\n"])
def test_a_file_that_is_no_such_list_is_refused_rather_than_read_in_part(tmp_path: Path, text: str) -> None:
    (tmp_path / "erased.txt").write_text(text)
    with pytest.raises(HistoryError, match="no list of erased leads"):
        read_erased(tmp_path / "erased.txt")
