"""How a model is fitted and calibrated, and how sure it is; one recipe for every history.

sample.py       what a model is fitted on, and weights by time
linear_*.py     the linear part; prior.py: how much the levels of its fields differ
boost.py        the trees on what it leaves over, with rounds.py and parts.py
fit.py          both parts; calibrate.py, slopes.py and slope_history.py: margins to probabilities
level.py        the shift after a refit
recency.py      how fast to forget, chosen by rolling origins
sureness.py     the uncertainty of each probability (ridge_error, misfit, doubts); familiar.py: leads unlike any
baselines.py    what a model has to beat
"""
