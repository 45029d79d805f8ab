"""Model quality, measured: against reference models on real histories, and against the truth on simulated ones.

    python -m benchmarks.quality                         everything, some 20 minutes on two cores
    python -m benchmarks.quality --only references,leaks the parts named
    python -m benchmarks.quality --quick                 small: shows that it works, its figures mean little

    histories.py    the real sets and simulated ones, through the same reading and labelling as any training run
    contest.py      our recipe and its peers on the same rows, and the paired differences
    environment.py  XGBoost and CatBoost: an environment of their own, made by the command
    outside.py      what runs in that environment; imports nothing of ours
    references.py   real sets by the protocol of published figures
    monthly.py      a bank whose rate drifts: refitted monthly
    windows.py      the best peer in hindsight, per window
    simulated.py    probabilities against the true ones
    leaks.py        planted leaks, false alarms, known columns of the real sets
    exactness.py    contributions add up; one lead alone equals the same lead in a batch and in training
    feedback.py     retrains on what the model itself let be worked
    coverage.py     90 % intervals of probabilities against the true ones

Everything is fitted in the same run. A bar that is not met is called missed; nothing here decides what to do about it.
"""
