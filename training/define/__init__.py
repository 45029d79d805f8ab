"""A first definition for an export that nobody here has seen.

    toml.py       writing TOML that reads back to the same values
    columns.py    what each column holds: its type, how it says "not answered", how full it is
    words.py      the words by which exports of both languages name roles and outcomes
    outcome.py    which column says what became of a lead, and which of its values mean won, lost and open
    roles.py      which columns are id, created, closed, account, value, order
    timing.py     the horizon that fits, and where a log of wins began late
    calendar.py   columns that repeat a part of the creation date
    suspects.py   columns that must not be used, found by the leak guard, with its evidence
    naming.py     names and labels from the names of columns
    agreed.py     grades, handover and verdicts to begin with
    guess.py      all of it as a definition, and the history that it gives
    draft.py      a definition that trains right away
    page.py       the definition as TOML, with profiles (profile.py), and `# DECIDE` (comments.py) where a person must

Everything is guessed from names, values and dates; nothing is known about any particular export.
"""

from training.define.draft import draft

__all__ = ["draft"]
