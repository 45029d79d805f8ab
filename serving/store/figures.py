"""What the figures count, counted in the database: a few rows come back, however many leads there are.

Both databases must say the same, so moments are shifted by whole seconds and keep their fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Interval,
    Select,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from features.target import closed_before, matured, within
from serving.kpis.counts import (
    FIRST,
    HANDED,
    Cell,
    Counts,
    Population,
    Rejected,
    Selection,
    Share,
    Shared,
    State,
    Wait,
)
from serving.store.errors import outside
from serving.store.tables import Moment, leads

Expression = ColumnElement[Any]
at = leads.c
EVERY_LEAD = 2**62
TO_THE_SECOND = 19  # the characters of 2026-02-03 10:00:00, as SQLite stores moments


class Figures:
    """Counts over all leads. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, selection: Selection) -> Counts:
        """What has become of the leads of `selection`.

        Raises
        ------
        StoreDownError
            If the database fails.
        """
        with self._snapshot() as connection:
            query = _Queries(selection, connection.dialect.name)
            return Counts(
                first=_population(connection, query, FIRST, query.first),
                handed=_population(connection, query, HANDED, query.handed),
                waits=tuple(Wait(*row) for row in connection.execute(query.waits())),
                rejected=tuple(Rejected(*row) for row in connection.execute(query.rejected())),
            )

    def probabilities(self, selection: Selection) -> list[float]:
        """What the first scores said of the leads first scored in the period, the highest first."""
        query = _Queries(selection, self._engine.name)
        ranked = select(at.first_probability).where(query.first.among).order_by(at.first_probability.desc())
        with self._snapshot() as connection:
            return list(connection.execute(ranked).scalars())

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees one moment throughout, so that figures of one answer agree."""
        engine = self._engine
        if engine.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with outside(), engine.connect() as connection:
            yield connection


class _Leads:
    """One population: which leads are in it, and their group and grade in it."""

    def __init__(self, selection: Selection, moment: Expression, grade: Expression) -> None:
        chosen = [at[name].is_not_distinct_from(value) for name, value in selection.filters.items()]
        self.among = and_(moment >= selection.start, moment < selection.end, *chosen)
        self.grade = grade
        self.group = _group(selection, moment)


class _Queries:
    """The statements for one selection."""

    def __init__(self, selection: Selection, dialect: str) -> None:
        self._selection = selection
        self._dialect = dialect
        self.first = _Leads(selection, at.first_scored_at, at.first_grade)
        self.handed = _Leads(selection, at.handed_over_at, at.handover_grade)
        self.state = _state(selection, dialect)

    def cells(self, population: _Leads) -> Select[Any]:
        group, grade = population.group.label("g"), population.grade.label("grade")
        each = select(group, grade, self.state.label("state"), at.first_probability)
        inner = _once(each.where(population.among))
        by = (inner.c.g, inner.c.grade, inner.c.state)
        p = inner.c.first_probability
        return select(*by, func.count(), func.sum(p), func.sum(p * p)).group_by(*by)

    def shared(self, population: _Leads, shares: Mapping[str, Share]) -> Select[Any]:
        """For each share the six sums of `Shared`, over accounts with several leads; the others add nothing."""
        several = select(at.account_id).where(at.account_id.is_not(None)).group_by(at.account_id)
        several = several.having(func.count() > 1)
        each = select(at.account_id, at.first_probability.label("p"), self.state.label("state"))
        lead = _once(each.where(population.among, at.account_id.in_(several)))
        sums: list[Expression] = []
        for name, share in shares.items():
            weight: Any = lead.c.p if share.weighted else 1
            of, counted = _in(lead.c.state, share.of), _in(lead.c.state, share.of | share.counted)
            sums.append(func.sum(case((counted, 1), else_=0)).label(f"{name}_y"))
            sums.append(func.sum(case((of, weight), else_=0)).label(f"{name}_x"))
            sums.append(func.sum(case((counted, weight), else_=0)).label(f"{name}_y1"))
            sums.append(func.sum(case((of, weight * weight), else_=0)).label(f"{name}_x2"))
        account = select(*sums).group_by(lead.c.account_id).subquery()
        return select(*(total for name in shares for total in _six(account.c, name)))

    def waits(self) -> Select[Any]:
        until = func.coalesce(at.first_contact_at, literal(self._selection.now, Moment))
        minutes = _seconds(until, self._dialect) - _seconds(at.handed_over_at, self._dialect)
        whole = case((minutes < 0, 0), else_=minutes // 60).label("minutes")
        contacted = case((at.first_contact_at.is_not(None), 1), else_=0).label("contacted")
        each = select(self.handed.group.label("g"), at.handover_grade, whole, contacted).where(self.handed.among)
        row = _once(each)
        return select(*row.c, func.count()).group_by(*row.c)

    def rejected(self) -> Select[Any]:
        each = select(self.handed.group.label("g"), at.handover_grade, at.verdict_reason)
        row = _once(each.where(self.handed.among, at.verdict == "rejected"))
        return select(*row.c, func.count()).group_by(*row.c)


def _population(connection: Connection, query: _Queries, shares: Mapping[str, Share], leads_: _Leads) -> Population:
    cells = [
        Cell(group, grade, State(int(state)), int(n), float(p), float(p2))
        for group, grade, state, n, p, p2 in connection.execute(query.cells(leads_))
    ]
    sums = [float(total or 0) for total in connection.execute(query.shared(leads_, shares)).one()]
    shared = {name: Shared(*sums[6 * number : 6 * number + 6]) for number, name in enumerate(shares)}
    return Population(tuple(cells), shared)


def _once(query: Select[Any]) -> Subquery:
    """`query` as a subquery whose expressions are evaluated once for each lead.

    Without a limit, SQLite writes each expression wherever it is named, and evaluates it there again.
    """
    return query.limit(EVERY_LEAD).subquery()


def _six(account: Any, name: str) -> list[Expression]:
    y, x = account[f"{name}_y"], account[f"{name}_x"]
    products: list[Expression] = [y * y, y * x, x * x, y, account[f"{name}_y1"], account[f"{name}_x2"]]
    return [func.sum(product) for product in products]


def _state(selection: Selection, dialect: str) -> Expression:
    """The flags of a lead, added up."""
    counted = _states(selection, dialect)
    total: Expression = literal(0)
    for state, whens in counted.items():
        total = total + case(*((when, state.value if yes else 0) for when, yes in whens), else_=0)
    return total


def _states(selection: Selection, dialect: str) -> dict[State, list[tuple[Expression, bool]]]:
    """For each flag what decides it: the first condition that holds says yes or no; if none does, no.

    Cheap conditions stand first: the others are then asked for few leads.
    """
    now, hours = selection.now, selection.hours
    latest = {grade: now - timedelta(hours=agreed) for grade, agreed in hours.items()}
    settled = at.handed_over_at <= _by_grade(latest, literal(now, Moment))
    agreed = at.handover_grade.in_(list(hours)) if hours else false()
    waits = and_(at.first_contact_at.is_(None), at.verdict.is_(None), _closed().is_not(True))
    due_by = {grade: _later(at.handed_over_at, timedelta(hours=agreed_), dialect) for grade, agreed_ in hours.items()}
    not_handed, not_contacted = at.handed_over_at.is_(None), at.first_contact_at.is_(None)
    not_won = or_(at.outcome.is_(None), at.outcome != "won")
    too_young, too_late = _not_matured(selection), and_(_closed(), closed_before(at.outcome_latest_at, at.first_as_of))
    left_out = [(too_young, False), (too_late, False), (_too_old(selection), False)]
    return {
        State.HANDED_OVER: [(not_handed, False), (_always(), True)],
        State.SETTLED: [(not_handed, True), (settled, True)],
        State.AGREED: [(not_handed, False), (agreed, True)],
        State.CONTACTED: [(not_contacted, False), (_always(), True)],
        State.IN_TIME: [
            (not_handed, False),
            (not_contacted, False),
            (at.first_contact_at <= _by_grade(due_by, null()), True),
        ],
        State.OVERDUE: [(not_handed, False), (and_(agreed, waits, settled), True)],
        State.JUDGED: [(at.verdict.is_not(None), True)],
        State.PENDING: [(at.verdict.is_(None), True)],
        State.ACCEPTED: [(at.verdict == "accepted", True)],
        State.WON: [(at.outcome == "won", True)],
        State.MATURED: [*left_out, (_always(), True)],
        State.WITHIN: [(not_won, False), *left_out, (_won_within(selection, dialect), True)],
        State.CLOSED_BEFORE: [(too_late, True)],
        State.SIMULATED: [(at.simulated, True)],
    }


def _always() -> Expression:
    """What holds for every lead."""
    return literal(1) == literal(1)


def _closed() -> Expression:
    return at.outcome.in_(("won", "lost"))


def _not_matured(selection: Selection) -> Expression:
    if selection.horizon_days is None:
        return _closed().is_not(True)
    # Both sides of the rule are moved back by the horizon, so that nothing is computed for each lead.
    done: Expression = matured(at.first_as_of, selection.now - timedelta(days=selection.horizon_days))
    return ~done


def _too_old(selection: Selection) -> Expression:
    return false() if selection.leads_from is None else at.first_as_of < selection.leads_from


def _won_within(selection: Selection, dialect: str) -> Expression:
    if selection.horizon_days is None:
        return _always()
    end = _later(at.first_as_of, timedelta(days=selection.horizon_days), dialect)
    won_within: Expression = within(at.outcome_at, end)
    return won_within


def _in(state: Expression, wanted: State) -> Expression:
    return state.bitwise_and(wanted.value) == wanted.value


def _by_grade(values: Mapping[Any, Any], otherwise: Expression) -> Expression:
    if not values:
        return otherwise
    return case(
        *(
            (at.handover_grade == grade, literal(value, Moment) if isinstance(value, datetime) else value)
            for grade, value in values.items()
        ),
        else_=otherwise,
    )


def _group(selection: Selection, moment: Expression) -> Expression:
    if selection.by == "month":
        return _month(moment, selection.months)
    return null() if selection.by in (None, "grade") else at[selection.by]


def _month(moment: Expression, months: Sequence[tuple[str, datetime]]) -> Expression:
    """The month of a moment, by halving: some seven comparisons for ten years."""
    if len(months) == 1:
        return literal(months[0][0])
    middle = len(months) // 2
    return case((moment < months[middle][1], _month(moment, months[:middle])), else_=_month(moment, months[middle:]))


def _later(moment: Expression, span: timedelta, dialect: str) -> Expression:
    """`moment` plus a span of whole seconds."""
    if dialect == "postgresql":
        return moment + literal(span, Interval)
    shifted = func.datetime(_cut(moment), f"{round(span.total_seconds())} seconds")
    return type_coerce(shifted.concat(func.substr(moment, TO_THE_SECOND + 1)), Moment)


def _seconds(moment: Expression, dialect: str) -> Expression:
    """Whole seconds since 1970."""
    if dialect == "postgresql":
        return cast(func.floor(func.extract("epoch", moment)), BigInteger)
    return cast(func.strftime("%s", _cut(moment)), Integer)


def _cut(moment: Expression) -> Expression:
    """A moment of SQLite without its fraction of a second: its functions would round to milliseconds."""
    return func.substr(moment, 1, TO_THE_SECOND)
