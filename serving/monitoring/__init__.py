"""Watching what is scored: drift, gaps, volume, calibration and expected performance, and alerts that mean something.

    reading.py      what a check found: a figure with its interval against what is tolerated
    chi_square.py   how likely a shift is by chance
    drift.py        distributions; shares.py, volume.py, calibration.py and performance.py: the other questions
    checks.py       all checks of one evaluation, with one promise about false alarms
    hysteresis.py   when findings raise an alert, and when they clear it
    watch.py        reads the store, evaluates, keeps the alerts

No web framework and no SQL here: the queries are in serving/store/watching.py.
"""
