"""The leak guard: which fields tell what was not yet known when the lead was scored.

    finding.py      what a finding is, and the guard that refuses to train on one
    questions.py    the two questions that a leak answers too well: was it won? was it closed already?
    cells.py        a field as a few levels, so that one way of counting serves every type
    separation.py   how well one field alone answers a question, on accounts that it was not learnt from
    deciding.py     fields, and single values, that nearly decide the answer
    filling.py      fields whose being filled in tells the answer
    identity.py     ids, running numbers, personal data, dates after the as-of date
    names.py        what a column's name says; a hint, never a proof
    find.py         all of it over a history

The statistics find what a field does, whatever it is called. They miss a field that sales fills in and that says little
about the outcome, above all where no lead is open and no date was kept. The names find some of those. What neither
finds is for the people who know the process: that is what `known` in the definition is for.
"""

from training.leakage.find import find_leaks
from training.leakage.finding import Finding, Kind, Severity, guard
from training.leakage.names import Hint, hint

__all__ = ["Finding", "Hint", "Kind", "Severity", "find_leaks", "guard", "hint"]
