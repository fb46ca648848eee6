# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""A few damaged files through reader processes; ``python tests/fuzzing.py`` runs thousands."""

from __future__ import annotations

from pathlib import Path

from fuzzing import built, fuzz, real, worth_damaging


def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path: Path, real_data: Path) -> None:
    (tmp_path / "built").mkdir()
    seeds = worth_damaging(built(tmp_path / "built") + real(real_data))
    account = fuzz(seeds, 2 * len(seeds), 1_000_000, tmp_path)
    assert account.failures == []
    assert sum(account.outcomes.values()) == 2 * len(seeds)
    assert len(account.outcomes) > 3
