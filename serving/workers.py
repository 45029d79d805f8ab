"""Several processes that share one port: the signal SIGHUP reaches all of them."""

from __future__ import annotations

import os
import signal

from uvicorn.config import Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process


class Workers(Multiprocess):
    """uvicorn's workers, which at SIGHUP look for another model, instead of being replaced one by one.

    A worker is told once it says that it has started: before that, the signal would end it.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config, sockets=[config.bind_socket()])
        self._untold: list[Process] = []

    def handle_hup(self) -> None:
        """Remember that each worker is to be told."""
        self._untold = list(self.processes)

    def keep_subprocess_alive(self) -> None:
        """Tell those that have started; the others at the next look, which comes twice a second."""
        super().keep_subprocess_alive()
        self._untold = [process for process in self._untold if process in self.processes and not _told(process)]


def _told(process: Process) -> bool:
    if process.pid is None or not process.is_ready():
        return False
    os.kill(process.pid, signal.SIGHUP)
    return True
