"""Several processes that share one port: the signal SIGHUP reaches all, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

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


def end_with_parent() -> None:
    """See to it that this process, if it is a worker, ends in order once the process that began it is gone.

    A parent that is killed tells nobody: its workers would keep the port, and nobody could end or reload them.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=[parent], name="parent-watch", daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()  # on a pipe whose other end only the parent holds
    os.kill(os.getpid(), signal.SIGTERM)


def _told(process: Process) -> bool:
    if process.pid is None or not process.is_ready():
        return False
    os.kill(process.pid, signal.SIGHUP)
    return True
