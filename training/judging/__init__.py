"""What probabilities are worth on later leads, with intervals, and whether a candidate may become champion.

metrics.py, ranking.py, tables.py   figures; bootstrap.py: their intervals by account
evaluate.py, compare.py             one model judged, two held side by side
gates.py                            the verdict (gate_checks, gate_policy)
"""
