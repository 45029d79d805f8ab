"""The composition root: settings, model, store and routes become one application here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError
from features.model.bundle import Bundle
from serving.agreement.keeping import AgreementKeeper, InEffect
from serving.agreement.supplies import Supplies
from serving.auth.access import doors_of
from serving.auth.gate import Gate
from serving.auth.guard import Guard
from serving.auth.startup import check_settings
from serving.cockpit.rendering import error_page
from serving.cockpit.session import Visitors
from serving.cors import Cors
from serving.fast_lane import FastLane
from serving.folding import keep_folding
from serving.gathering import Gathering
from serving.headers import standing_headers
from serving.in_service import ModelInService
from serving.logs import configure_logs, log
from serving.metrics import Metrics
from serving.middleware import RequestLog
from serving.monitoring.later import Later
from serving.registry import RegistryRecord
from serving.renewal import Renewal
from serving.responses import answer_errors
from serving.routes import ROUTERS
from serving.scoring import model_record
from serving.service import Clock, Service, utc_now
from serving.settings import Settings
from serving.shadow.shadow import Shadow
from serving.store import Store
from serving.store_state import StoreState
from serving.watcher import keep_watching
from serving.workers import end_with_parent

DISTRIBUTION = "lead-quality"
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own would send addresses, in which ids of leads stand, to whatever the environment names."""


def create_app(
    settings: Settings, *, bundle: Bundle | None = None, store: Store | None = None, clock: Clock = utc_now
) -> FastAPI:
    """The application; model and store are opened when it starts, not here.

    Parameters
    ----------
    bundle : Bundle, optional
        An opened bundle to serve, instead of the one that the settings name.
    store : Store, optional
        A store to use, instead of the one that the settings name; whoever passes it closes it.
    clock : callable
        Gives the current time in UTC.
    """
    owned = store is None
    metrics = Metrics()
    store = store or Store(settings.database_url, timeout_s=settings.store_timeout_s, observer=metrics)
    guard = None if settings.demo else Guard(settings, store.keys, clock)
    in_effect = InEffect(store.agreements)
    model = ModelInService(settings, bundle, agreed_on=in_effect.of)
    shadow = _shadow(settings, model, store, clock, in_effect)
    keeper = AgreementKeeper(
        [model, *([shadow.challenger] if shadow else [])], store.definitions, clock, settings.keys_refresh_s
    )
    visitors = Visitors(store.sessions, guard, clock, session_hours=settings.session_hours)
    state, supplies = StoreState(store), Supplies(store)
    service = Service(
        settings,
        model,
        store,
        state,
        gathering=Gathering(store.scores.submit, settings.store_timeout_s),
        visitors=visitors,
        error_page=error_page,
        agreements=keeper,
        supplies=supplies,
        later=Later(store.watching),
        registry=RegistryRecord(settings.bundle),
        clock=clock,
        guard=guard,
        metrics=metrics,
        shadow=shadow,
    )
    app = FastAPI(
        title="Lead Quality",
        version=_release(),
        lifespan=lambda _: _running(service, closes_store=owned),
        openapi_url=None,  # ours lists the fields of the model in service
        docs_url=None,  # the usual pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.state.service = service
    answer_errors(app)
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as they are; including them would build all their models again
    # The last that is added is the first that a request passes.
    app.add_middleware(FastLane, routers=ROUTERS)
    app.add_middleware(
        Gate, doors=doors_of(app), guard=guard, doorkeeper=visitors, most_at_a_time=settings.max_concurrent
    )
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(RequestLog, standing=standing_headers(settings), metrics=metrics)
    return app


def from_environment() -> FastAPI:
    """The application as the environment's LEAD_* settings describe it; what `python -m serving` starts.

    Raises
    ------
    UnsafeStartError
        If it would let in more than belong.
    """
    settings = Settings()
    configure_logs(settings.log_level)
    check_settings(settings)
    end_with_parent()
    return create_app(settings)


@asynccontextmanager
async def _running(service: Service, *, closes_store: bool) -> AsyncIterator[None]:
    """Everything that lives as long as the application does."""
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as at_end:  # the last first, and each of them even if one fails
        if closes_store:
            at_end.callback(service.store.close)
        at_end.push_async_callback(run_in_threadpool, service.agreements.close)
        if service.shadow is not None:
            at_end.push_async_callback(run_in_threadpool, service.shadow.close)
        if service.guard is not None:
            at_end.push_async_callback(service.guard.store_uses)
        at_end.push_async_callback(_end, tasks)
        at_end.enter_context((await _begin(service, tasks)).at_signal())
        yield


async def _begin(service: Service, tasks: list[asyncio.Task[None]]) -> Renewal:
    """Start what goes on beside the requests; who looks for other models."""
    if not await _prepare(service):
        tasks.append(asyncio.create_task(_until_ready(service)))
    models = [service.model, *([service.shadow.challenger] if service.shadow else [])]
    renewal = Renewal(models, service.clock, service.settings)
    tasks.append(asyncio.create_task(renewal.keep()))
    tasks.append(asyncio.create_task(keep_folding(service.store)))
    tasks.append(asyncio.create_task(service.agreements.keep()))
    if service.guard is not None:
        await service.guard.read()
        tasks.append(asyncio.create_task(service.guard.keep()))
    if service.settings.watch_every_s:
        tasks.append(asyncio.create_task(keep_watching(service)))
    return renewal


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """End what goes on beside the requests, and log what had failed."""
    for task in tasks:
        task.cancel()
    for failed in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(failed, Exception):
            log.error("a task had failed", exc_info=failed)


def _shadow(
    settings: Settings, champion: ModelInService, store: Store, clock: Clock, in_effect: InEffect
) -> Shadow | None:
    """Who scores in the shadow, told of every score that is stored."""
    if not settings.shadow:
        return None
    challenger = ModelInService(settings, source=settings.shadow, agreed_on=in_effect.of)
    shadow = Shadow(champion, challenger, store, clock, lambda scorer: model_record(scorer.model_name))
    store.scores.listen(shadow.offer)
    return shadow


async def _until_ready(service: Service) -> None:
    """Try again what failed at start, until it succeeds."""
    while True:
        await asyncio.sleep(service.settings.bundle_retry_s)
        try:
            if await _prepare(service):
                return
        except Exception:  # whatever it is: if this task ended, the service would never be ready
            log.exception("not ready")


async def _prepare(service: Service) -> bool:
    """Bring the tables up to date where that is ours to do, and open the model; whether both succeeded."""
    # The tables first: what was agreed on since the model was trained stands there.
    steps = [("store", service.store.migrate)] if service.store.migrates_itself else []
    steps.append(("model", lambda: service.model.open(service.clock())))
    done = [await run_in_threadpool(_done, name, step) for name, step in steps]
    await run_in_threadpool(service.agreements.look)
    return all(done)


def _done(name: str, step: Callable[[], None]) -> bool:
    try:
        step()
    except LeadQualityError as error:
        # These messages are about files and servers, never about leads.
        log.error("not ready", part=name, reason=str(error))
        return False
    return True


def _release() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0"  # run from a source tree that is not installed
