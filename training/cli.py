"""The data scientist's command line: parse, call, say what happened. `make help` names the same commands.

Heavy libraries are imported inside the commands, so that `--help` answers at once. What is wrong with data or a
definition is printed in the reader's language (`LEAD_LANGUAGE`, or the system's), every problem at once, and the exit
code is 2; what is wrong outside of us exits with 3; a refusal of the gate with 4. `due` exits with 1 when it says so.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.errors import BundleError, DataError, DefinitionError, NotReadyError, OutsideError, Problem
from features.text import (
    NO_SUCH_LANGUAGE,
    Language,
    Text,
    decimal,
    named_language,
    reader_language,
    same,
    whole,
)

if TYPE_CHECKING:
    from features.definition import LeadDefinition
    from features.sources import Source
    from features.sources.files import Files
    from training.judging.gates import Decision
    from training.pipeline import Trained
    from training.recipe.fit import Progress as Report
    from training.tracking import Tracking

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Format = Literal["german_csv", "csv", "parquet"]
DataOption = Annotated[str, typer.Option(help="The export: a path or a pattern such as 'exports/*.csv'.")]
DefinitionOption = Annotated[Path, typer.Option(help="The agreement, a TOML file.")]
ErasedOption = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Hashes of erased leads, which are left out.")
]
WhoOption = Annotated[str, typer.Option(help="Who decides; stands in the history of promotions.")]


def main() -> None:
    """Run the command line; every expected error becomes a message and an exit code, never a traceback."""
    language = _language()
    if (named := os.environ.get("LEAD_LANGUAGE")) and named_language(named) is None:
        _fail(f"LEAD_LANGUAGE: {NO_SUCH_LANGUAGE.in_language(language)}", 2)
    try:
        app()
    except DataError as error:
        _fail(error.in_language(language), 2)
    except (BundleError, NotReadyError) as error:
        _fail(error.in_language(language), 2)
    except OutsideError as error:
        _fail(error.in_language(language), 3)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(".state/demo"),
    leads: Annotated[int, typer.Option(help="How many leads, 1,000 to 1,000,000.")] = 12_000,
    seed: Annotated[int, typer.Option(help="Another seed gives other leads of the same world.")] = 1,
    format: Annotated[Format, typer.Option(help="How the export is written.")] = "german_csv",
    leak: Annotated[list[str] | None, typer.Option(help="A planted leak, see docs/simulator.md; repeatable.")] = None,
) -> None:
    """Write a simulated history of a German B2B company, with the true probability of each lead beside it."""
    from training.simulate import Simulation, write
    from training.simulate import simulate as run

    parameters = Simulation(n_leads=leads, seed=seed, leaks=tuple(leak or ()))
    with _progress() as report:
        simulated = run(
            parameters, progress=lambda step, share: report(Text(f"Simulating: {step}", f"Simulieren: {step}"), share)
        )
        written = write(simulated, out, format=format)
    _say(
        Text(
            f"{whole(leads, 'en')} simulated leads in {written.leads}, none of which exists; "
            f"true probabilities in {written.truth}",
            f"{whole(leads, 'de')} simulierte Leads in {written.leads}, keinen davon gibt es; "
            f"wahre Wahrscheinlichkeiten in {written.truth}",
        )
    )


@app.command()
def calls(
    out: Annotated[Path, typer.Option(help="The file to write, lines of JSON.")] = Path(".state/demo/calls.jsonl"),
    days: Annotated[int, typer.Option(min=63, max=3_650, help="How many days up to now.")] = 240,
    seed: Annotated[int, typer.Option(help="Another seed gives other leads of the same world.")] = 2,
) -> None:
    """Write what a simulated CRM has sent by now: leads, sales' verdicts, and what became of them."""
    from training.simulate.calls import calls as made
    from training.simulate.calls import until_now, write_calls

    now = datetime.now(UTC)
    sent = made(until_now(now, days=days, seed=seed), now)
    write_calls(sent, out)
    _say(
        Text(
            f"{whole(len(sent), 'en')} calls of a simulated CRM in {out}",
            f"{whole(len(sent), 'de')} Aufrufe eines simulierten CRM in {out}",
        )
    )


@app.command()
def define(
    export: Annotated[str, typer.Argument(help="The export: a path or a pattern.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the draft.")] = Path("lead.toml"),
    outcome: Annotated[str | None, typer.Option(help="The column that says won or lost, if it is not found.")] = None,
    won: Annotated[list[str] | None, typer.Option(help="A value that means won; repeatable.")] = None,
    horizon_days: Annotated[int | None, typer.Option(help="Days within which a win counts.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite an existing file.")] = False,
) -> None:
    """Draft a definition from an unknown export; people decide where it says DECIDE."""
    from training.define import draft

    if out.exists() and not force:
        _fail(_choose(Text(f"{out} exists; --force overwrites it.", f"{out} gibt es schon; --force überschreibt.")), 2)
    text = draft(export, horizon_days=horizon_days, outcome=outcome, won=tuple(won or ()))
    out.write_text(text, encoding="utf-8")
    n_open = text.count("DECIDE")
    _say(
        Text(
            f"Draft in {out}; {n_open} places say DECIDE. Then: make train DEFINITION={out} DATA='{export}'",
            f"Entwurf in {out}; {n_open} Stellen sagen DECIDE. Dann: make train DEFINITION={out} DATA='{export}'",
        )
    )


@app.command()
def horizon(definition: DefinitionOption, data: DataOption) -> None:
    """Show when wins come, what each horizon sees and costs, and propose one."""
    from features.history import read_history
    from training.maturity import horizon_tables
    from training.maturity.horizon import propose_horizon

    agreement = _agreement(definition)
    with _progress() as report:
        report(_READING, 0.0)
        history = read_history(agreement, _export(agreement, data), now=datetime.now(UTC))
        found = propose_horizon(history, progress=report)
    language = _language()
    titles, months = horizon_tables.month_rows(found, language)
    _print_table(_choose(_LEFT_OUT_BY_MONTH), titles, months)
    _print_table("", [_choose(title) for title in horizon_tables.HEADER], horizon_tables.rows(found, language))
    for sentence in horizon_tables.sentences(found):
        _say(sentence)


@app.command()
def backtest(
    definition: DefinitionOption,
    data: DataOption,
    *,
    first: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first origin's month.")] = None,
    months: Annotated[int, typer.Option(min=1, help="Months from one origin to the next.")] = 1,
    calibrate_on: Annotated[int, typer.Option(min=40, help="Newest known outcomes that calibrate.")] = 1000,
    budget: Annotated[float | None, typer.Option(help="Seconds for each choice of the number of trees.")] = None,
) -> None:
    """Replay the past: refit and recalibrate month by month as it would have been, and judge what came after."""
    from dataclasses import replace

    from features.history import read_history
    from training.labels import label
    from training.leakage import guard
    from training.pipeline import leaks_of
    from training.replay import backtest_result as result
    from training.replay.backtest import BacktestSettings, run_backtest
    from training.replay.backtest_figures import drawn
    from training.replay.origins import OriginSettings

    agreement = _agreement(definition)
    settings = BacktestSettings(OriginSettings(first and first.date(), months, calibrate_on))
    settings = replace(settings, fit=replace(settings.fit, budget_seconds=budget))
    with _progress() as report:
        report(_READING, 0.0)
        labelled = label(read_history(agreement, _export(agreement, data), now=datetime.now(UTC)))
        guard(leaks_of(labelled.history, labelled), agreement.accepted_leaks)
        found = run_backtest(labelled, settings, report)
        report(_DRAWING, 0.0)
        place = result.write_backtest(found, _state() / f"backtest-{agreement.name}", drawn(found))
    language = _language()
    title = _choose(_LOG_LOSS_BY_PERIOD)
    _print_table(title, [_choose(text) for text in result.PERIOD_HEADER], found.period_rows(language))
    _print_table("", [_choose(text) for text in result.HEADER], found.rows(language))
    _say(Text(f"Figures, tables and every probability: {place}", f"Bilder, Tabellen, jede Wahrscheinlichkeit: {place}"))


@app.command()
def train(
    definition: DefinitionOption,
    data: DataOption,
    *,
    budget: Annotated[float | None, typer.Option(help="Seconds for choosing the number of trees.")] = None,
    erased: ErasedOption = None,
) -> None:
    """Train on a history, judge on later leads, write a bundle, log it to MLflow and register it as challenger."""
    from dataclasses import replace

    from training import pipeline
    from training.judging.gates import Policy
    from training.learn import Settings
    from training.record import record

    agreement = _agreement(definition)
    settings = Settings()
    settings = replace(settings, fit=replace(settings.fit, budget_seconds=budget))
    with _progress() as report:
        report(_CONNECTING, 0.0)
        tracking = _tracking(agreement)
        tracking.prepare()
        with tracking.run(f"train {agreement.name}") as run:
            now = datetime.now(UTC)
            prepared = pipeline.prepare(agreement, _leads(agreement, data, erased), settings, report, now=now)
            trained = pipeline.train(prepared, settings, now=now, progress=report)
            champion = tracking.registry.champion()
            in_use = None if champion is None else tracking.registry.download(champion)
            decision = pipeline.gate(trained, in_use, Policy(), settings)
            place = pipeline.write(trained, _state() / "bundles", decision, report)
            report(_LOGGING, 0.0)
            version = record(run, trained, decision, place)
            tracking.registry.record_verdict(version, decision, champion)
        # Only now: a run that is interrupted takes its version back, and the old challenger stays.
        tracking.registry.set_alias("challenger", version)
    _print_left_out(trained)
    _print_decision(decision)
    _say(
        Text(
            f"Version {version} of {agreement.name} is the challenger. Bundle and model card: {place}",
            f"Version {version} von {agreement.name} ist der Challenger. Bundle und Modellkarte: {place}",
        )
    )


@app.command()
def recalibrate(
    definition: DefinitionOption,
    data: DataOption,
    *,
    newest: Annotated[int, typer.Option(min=80, help="So many of the newest matured leads recalibrate.")] = 1000,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Instead: all from this day on.")] = None,
    erased: ErasedOption = None,
) -> None:
    """Give the champion new slopes and a new shift from recent outcomes, and register it as challenger."""
    from training import pipeline
    from training.judging.gates import Policy
    from training.learn import Settings
    from training.record import record
    from training.upkeep.recalibrate import gate_recalibrated
    from training.upkeep.recalibrate import recalibrate as run_recalibration
    from training.upkeep.recent import RecentSettings

    agreement, settings, recent = _agreement(definition), Settings(), RecentSettings(newest, since and since.date())
    with _progress() as report:
        report(_CONNECTING, 0.0)
        tracking = _tracking(agreement)
        champion, in_use = _champion(tracking)
        with tracking.run(f"recalibrate {agreement.name}", {"recalibrated.of": str(champion)}) as run:
            source, now = _leads(agreement, data, erased), datetime.now(UTC)
            made = run_recalibration(
                in_use, champion, source, agreement, settings=settings, recent=recent, now=now, progress=report
            )
            decision = gate_recalibrated(made, Policy(), settings)
            place = pipeline.write(made.trained, _state() / "bundles", decision, report)
            report(_LOGGING, 0.0)
            version = record(run, made.trained, decision, place)
            tracking.registry.record_verdict(version, decision, champion)
        tracking.registry.set_alias("challenger", version)
    _print_left_out(made.trained)
    _print_decision(decision)
    _say(
        Text(
            f"Version {version} of {agreement.name} is the challenger: {made.origin.en}",
            f"Version {version} von {agreement.name} ist der Challenger: {made.origin.de}",
        )
    )
    _say(Text(f"Bundle and model card: {place}", f"Bündel und Modellkarte: {place}"))


@app.command()
def due(definition: DefinitionOption, data: DataOption) -> None:
    """Say whether recalibration is due, by outcomes that the champion has not seen; exit code 1 if it is, 0 if not."""
    from features.history import read_history
    from features.model.bundle import open_bundle
    from training.labels import label
    from training.upkeep import due_words
    from training.upkeep.due import due as look

    agreement = _agreement(definition)
    with _progress() as report:
        report(_READING, 0.0)
        labelled = label(read_history(agreement, _export(agreement, data), now=datetime.now(UTC)))
        found = look(labelled, open_bundle(_champion(_tracking(agreement))[1]))
    _print_table("", [_choose(title) for title in due_words.HEADER], due_words.rows(found, _language()))
    for sentence in (due_words.slope_line(found), due_words.level_line(found), *due_words.sentences(found)):
        _say(sentence)
    if found.verdict == "due":
        raise typer.Exit(1)


@app.command()
def promote(
    definition: DefinitionOption,
    version: Annotated[int | None, typer.Option(help="The version; without it, the challenger.")] = None,
    who: WhoOption = "",
    override: Annotated[str, typer.Option(help="Promote although the gate refused; the reason is kept.")] = "",
) -> None:
    """Make a version champion if the gate let it pass; the verdict is shown as a table."""
    from training.judging.gates import Override
    from training.promote import PromotionError
    from training.promote import promote as move

    registry = _tracking(_agreement(definition)).registry
    number = version or registry.alias("challenger")
    if number is None:
        raise NotReadyError(_NO_CHALLENGER)
    decision, compared_with = registry.verdict(number)
    _print_decision(decision)
    name = who or _user()
    try:
        entry = move(
            registry,
            number,
            decision,
            expected_champion=compared_with,
            who=name,
            at=datetime.now(UTC),
            override=Override(override, name) if override else None,
        )
    except PromotionError as error:
        _fail(error.in_language(_language()), 4)
    _say(entry.in_words())


@app.command()
def rollback(
    definition: DefinitionOption,
    to: Annotated[int, typer.Option(help="The version that becomes champion again.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the history of promotions.")],
    who: WhoOption = "",
) -> None:
    """Make an earlier version champion again."""
    from training.promote import PromotionError
    from training.promote import rollback as move

    registry = _tracking(_agreement(definition)).registry
    try:
        entry = move(registry, to, reason, who=who or _user(), at=datetime.now(UTC))
    except PromotionError as error:
        _fail(error.in_language(_language()), 4)
    _say(entry.in_words())


@app.command()
def versions(definition: DefinitionOption) -> None:
    """List the registered versions with their aliases, log loss and verdict, and who promoted what."""
    from training.promote import history

    registry = _tracking(_agreement(definition)).registry
    table = Table(*(_choose(title) for title in _VERSION_TITLES), title=registry.model_name)
    for each in registry.versions():
        loss = each.metrics.get("log_loss")
        shown = "" if loss is None else decimal(loss, 4, _language())
        made = f"{each.created:%Y-%m-%d %H:%M}"
        table.add_row(str(each.number), ", ".join(each.aliases), made, shown, each.verdict, each.bundle_id)
    _console().print(table)
    for entry in history(registry):
        _say(entry.in_words())


@app.command()
def card(definition: DefinitionOption) -> None:
    """Say where the champion's model card is, as a page in the reader's language."""
    place = _tracking(_agreement(definition)).registry.download("champion")
    _say(same(str(place / f"card.{_language()}.html")))


@app.command()
def score(
    definition: DefinitionOption,
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Where to write: .csv or .parquet.")],
    bundle: Annotated[Path | None, typer.Option(help="A bundle's directory; without it, the champion.")] = None,
) -> None:
    """Score every lead of an export with all contributions; outcomes in it are not read."""
    from features.model.bundle import open_bundle
    from training.scoring import score_export

    agreement = _agreement(definition)
    with _progress() as report:
        report(_OPENING, 0.0)
        opened = open_bundle(bundle or _tracking(agreement).registry.download("champion"))
        n_scored = score_export(
            opened, _export(agreement, data), out, tell=_say, progress=lambda share: report(_SCORING, share)
        )
    _say(Text(f"{whole(n_scored, 'en')} leads scored in {out}", f"{whole(n_scored, 'de')} Leads bewertet in {out}"))


_CONNECTING = Text("Opening the tracking store", "Tracking öffnen")
_LOGGING = Text("Logging to MLflow and registering", "In MLflow protokollieren und registrieren")
_OPENING = Text("Opening the model and looking at the export", "Modell öffnen und Export ansehen")
_SCORING = Text("Scoring", "Bewerten")
_READING = Text("Reading the history", "Historie einlesen")
_DRAWING = Text("Drawing the figures", "Abbildungen zeichnen")
_LEFT_OUT_BY_MONTH = Text("Leads by month, with the horizon as agreed", "Leads je Monat, mit vereinbartem Horizont")
_LOG_LOSS_BY_PERIOD = Text("Log loss of what came after each origin", "Log-Loss dessen, was nach jedem Zeitpunkt kam")
_NO_IDS = Text("erased leads are recognized by their id", "gelöschte Leads werden an der Kennung erkannt")
_AN_ID_COLUMN = Text("the column that holds it", "die Spalte, in der sie steht")
_WON = Text("won", "gewonnen")
_NO_CHALLENGER = Text(
    "There is no challenger. Train one first, or name a version.",
    "Es gibt keinen Challenger. Bitte zuerst trainieren oder eine Version nennen.",
)
_NO_CHAMPION = Text(
    "There is no champion yet. Train and promote one first.",
    "Es gibt noch keinen Champion. Bitte zuerst trainieren und freigeben.",
)
_VERSION_TITLES = (
    Text("Version", "Version"),
    Text("Alias", "Alias"),
    Text("Made (UTC)", "Erstellt (UTC)"),
    Text("Log loss", "Log-Loss"),
    Text("Gate", "Prüfung"),
    Text("Bundle", "Bündel"),
)


def _agreement(path: Path) -> LeadDefinition:
    from features.definition import read_definition

    return read_definition(path)


def _export(agreement: LeadDefinition, data: str) -> Files:
    from features.history import files_of

    return files_of(agreement, data)


def _leads(agreement: LeadDefinition, data: str, erased: Path | None) -> Source:
    """The export without the leads on the list of erased ones, if there is a list.

    Raises
    ------
    DefinitionError
        If the leads have no ids to be recognized by.
    """
    from features.erased import read_erased
    from features.sources.without_erased import WithoutErased

    files = _export(agreement, data)
    if erased is None:
        return files
    if agreement.columns.id is None:
        raise DefinitionError([Problem("columns.id", _NO_IDS, _AN_ID_COLUMN, code="no_id")])
    return WithoutErased(files, agreement.columns.id, read_erased(erased))


def _state() -> Path:
    """Where runs keep what they make."""
    return Path(os.environ.get("LEAD_STATE", ".state"))


def _tracking(agreement: LeadDefinition) -> Tracking:
    """MLflow at `MLFLOW_TRACKING_URI`, or in a SQLite file of ours."""
    from training.tracking import Tracking

    _state().mkdir(parents=True, exist_ok=True)
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_state()}/mlflow.db"
    artifacts = _state() / "mlartifacts" if uri.startswith("sqlite:") else None  # a server has its own place
    return Tracking(uri, "lead-quality", agreement.name, artifacts=artifacts)


def _champion(tracking: Tracking) -> tuple[int, Path]:
    """The champion's version and its bundle."""
    number = tracking.registry.champion()
    if number is None:
        raise NotReadyError(_NO_CHAMPION)
    return number, tracking.registry.download(number)


@contextmanager
def _progress() -> Iterator[Report]:
    """A line that says what is going on and for how long; in a log file, one line per step."""
    if not _console().is_terminal:
        yield _Steps()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console(), transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda message, share: progress.update(task, description=_choose(message), completed=share)


class _Steps:
    """Progress where nobody can see a bar move: each step once, when it begins."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, message: Text, share: float) -> None:  # noqa: ARG002 the protocol has it
        if (step := _choose(message)) != self.last:
            self.last = step
            print(f"… {step}", flush=True)


def _print_left_out(trained: Trained) -> None:
    from training.report.card_content import WINDOW_NAMES

    language = _language()
    for window in trained.manifest.windows:
        days = f" {window.start} … {window.end}" if window.start else ""
        name, won = _choose(WINDOW_NAMES[window.use]), _choose(_WON)
        _say(same(f"  {name}:{days}  {whole(window.n, language)} leads, {whole(window.won, language)} {won}"))
    for rows in trained.left_out:
        _say(same(f"  − {whole(rows.n, language)}: {rows.reason.in_language(language)}"))
    for note in trained.prepared.labelled.history.notes:
        _say(same(f"  · {note.in_language(language)}"))
    for warning in trained.manifest.warnings:
        _say(same(f"  ! {warning.in_language(language)}"))


def _print_table(title: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose columns of figures stand to the right."""
    table = Table(title=title or None)
    for number, heading in enumerate(titles):
        figures = all(row[number][:1].isdigit() for row in rows)
        table.add_column(heading, justify="right" if figures else "left")
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def _print_decision(decision: Decision) -> None:
    from training.judging.gates import HEADER

    table = Table(*(_choose(title) for title in HEADER[:-1]))  # the summary explains what did not pass
    for row in decision.rows(_language()):
        table.add_row(*row[:-1])
    _console().print(table)
    _say(decision.summary())


def _language() -> Language:
    return reader_language(os.environ)


def _console() -> Console:
    """The terminal as it is now: its width may have changed, and nothing is opened at import."""
    return Console()


def _user() -> str:
    """Who is at the terminal; in a container the user's number may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _choose(text: Text) -> str:
    return text.in_language(_language())


def _say(text: Text) -> None:
    _console().print(_choose(text), highlight=False, soft_wrap=True)


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(code)
