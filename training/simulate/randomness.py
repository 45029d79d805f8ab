"""One stream of random numbers per purpose, so that switching one thing on changes nothing else."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """A generator that depends on the seed, the purpose's name and the keys, and on nothing else."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(purpose.encode()), *keys]))
