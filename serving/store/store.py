"""The store as the service uses it: one object, opened by the composition root."""

from __future__ import annotations

from pathlib import Path

from features.text import Text
from serving.store.agreements import Agreements
from serving.store.backup import back_up
from serving.store.closed import ClosedLeads
from serving.store.definitions import Definitions
from serving.store.engine import open_engine
from serving.store.erasures import Erasures
from serving.store.errors import NotMigratedError, outside
from serving.store.exports import Exports
from serving.store.figures import Figures
from serving.store.keys import Keys
from serving.store.lives import Lives
from serving.store.log import Log
from serving.store.migration import HEAD, current_revision, migrate
from serving.store.objections import Objections
from serving.store.observer import Nobody, Observer
from serving.store.records import Outcome, Verdict
from serving.store.retention import Retention
from serving.store.scores import Scores
from serving.store.served import Served
from serving.store.sessions import Sessions
from serving.store.shadow import Shadows
from serving.store.told import OUTCOMES, VERDICTS, Told
from serving.store.watching import Watching
from serving.store.worklist import Worklist
from serving.store.writable import check_takes_writes, try_commit
from serving.store.writer import Writer


class Store:
    """Everything that is stored, by kind. Methods block on the database: call them from a thread, not the event loop.

    Attributes
    ----------
    scores : Scores
    outcomes, verdicts : Told
    keys : Keys
    agreements : Agreements
    definitions : Definitions
    exports : Exports
    shadows : Shadows
    objections : Objections
    erasures : Erasures
    retention : Retention
    figures : Figures
    watching : Watching
    lives : Lives
    worklist : Worklist
    closed : ClosedLeads
    sessions : Sessions
    served : Served

    Parameters
    ----------
    url : str
        `sqlite:///PATH` or `postgresql+psycopg://...`; nothing is connected before the first call.
    timeout_s : float
        Longest wait for the database.
    observer : Observer, optional
        Told what is written.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0, observer: Observer | None = None) -> None:
        told = observer or Nobody()
        self._engine = open_engine(url, timeout_s)
        self._log = Log(self._engine)
        self._writer = Writer(self._engine, timeout_s, told, self._log)
        self.scores = Scores(self._engine, self._writer, told)
        self.outcomes: Told[Outcome] = Told(self._engine, self._writer, OUTCOMES)
        self.verdicts: Told[Verdict] = Told(self._engine, self._writer, VERDICTS)
        self.keys = Keys(self._engine, self._writer)
        self.agreements = Agreements(self._engine, self._writer)
        self.definitions = Definitions(self._engine, self._writer)
        self.exports = Exports(self._engine, self._writer)
        self.shadows = Shadows(self._engine, self._writer)
        self.objections = Objections(self._engine, self._writer)
        self.erasures = Erasures(self._engine, self._writer, self._log)
        self.retention = Retention(self._engine, self._writer, self._log)
        self.figures = Figures(self._engine, self._writer)
        self.watching = Watching(self._engine, self._writer)
        self.lives = Lives(self._engine)
        self.worklist = Worklist(self._engine)
        self.closed = ClosedLeads(self._engine)
        self.sessions = Sessions(self._engine, self._writer)
        self.served = Served(self._engine)

    @property
    def migrates_itself(self) -> bool:
        """Whether tables are brought up to date at start: in a file of our own, yes; in a shared database, never."""
        return self._engine.name == "sqlite"

    def migrate(self) -> None:
        """Bring the tables to this release's state; safe to call again, and from several processes at once."""
        with outside():
            migrate(self._engine)

    def check(self) -> None:
        """Return if the store answers, and holds the tables of this release.

        Raises
        ------
        StoreDownError
            If the database does not answer.
        NotMigratedError
            If its tables are not those of this release.
        """
        with outside():
            revision = current_revision(self._engine)
        if revision != HEAD:
            raise NotMigratedError(
                Text(
                    f"the store is at revision {revision or 'none'}, not {HEAD}: run python -m serving migrate",
                    f"der Speicher hat Stand {revision or 'keinen'}, nicht {HEAD}: python -m serving migrate "
                    "bringt ihn auf diesen",
                )
            )

    def check_writes(self) -> None:
        """Return if the store can be written to, as far as that can be known without writing.

        Raises
        ------
        StoreDownError
            If it cannot.
        """
        check_takes_writes(self._engine)
        if self._writer.last_failed:  # a server that may only be read takes this commit, which changes nothing
            self._writer.write(try_commit, None)

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of an SQLite store to `target`; see `serving.store.backup`."""
        back_up(self._engine, target)

    def close(self) -> None:
        """Write what waits, empty the log of what was removed, then give every connection back."""
        self._writer.close()
        self._log.close()
        self._engine.dispose()
