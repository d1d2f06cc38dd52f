"""The API put together: routes, problems, guard. Nothing is global; two nodes in one process have two
apps.
"""

from __future__ import annotations

from importlib.util import find_spec

import structlog
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from engine.access.access import Access
from engine.api import documented, problem
from engine.api.audited import Audited
from engine.api.callers import Cors, Limits
from engine.api.deps import CallerDesk, EngineView
from engine.api.guard import Guard
from engine.api.guesses import Guesses
from engine.api.idempotency import Once
from engine.api.manual import manual
from engine.api.pages import router_of
from engine.api.repeated import each_once
from engine.api.routes import (
    agents,
    assist,
    audit,
    callers,
    calls,
    config_files,
    configuration,
    desks,
    guests,
    health,
    hooks,
    insight,
    legs,
    lines,
    live,
    metrics,
    near,
    nodes,
    open_sessions,
    places,
    queues,
    recordings,
    records,
    registrations,
    reports,
    scorecards,
    sessions,
    shares,
    speech,
    supervision,
    tokens,
    transcripts,
    trunks,
    users,
    whip,
)
from engine.api.settings import ConsoleTerms, Settings
from engine.api.shared import Doorman
from engine.api.shared import router as shared
from engine.api.unchanged import Unchanged
from engine.live.feed import Feed
from engine.operating import Operating

log = structlog.get_logger("api")

VERSION = "1"  # of the API: the /v1 in its paths
ROUTERS = (
    calls.router,
    legs.router,
    insight.router,
    records.router,
    recordings.router,
    shares.router,
    scorecards.router,
    transcripts.router,
    assist.router,
    queues.router,
    guests.router,
    supervision.router,
    places.router,
    speech.router,
    agents.router,
    registrations.router,
    trunks.router,
    callers.router,
    whip.router,
    near.router,
    nodes.router,
    live.router,
    reports.router,
    hooks.router,
    configuration.router,
    config_files.router,
    sessions.router,
    open_sessions.own,
    users.router,
    open_sessions.router,
    tokens.router,
    audit.router,
    health.router,
    metrics.router,
)


def methods_at(path: str) -> list[str]:
    """What may be asked of a path, all routes taken together."""
    found = {
        method
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_regex.fullmatch(path)
        for method in route.methods or ()
    }
    return sorted(found)


def create_app(
    view: EngineView,
    settings: Settings,
    desk: CallerDesk | None = None,
    operating: Operating | None = None,
    access: Access | None = None,
    live: Feed | None = None,
) -> FastAPI:
    """The API over a node's view. The app runs on the view's own event loop. desk: None where nobody calls
    from pages. operating: None where the configuration stays as it is. access: None where nobody signs in.
    live: None where nobody may watch.
    """
    app = FastAPI(
        title="Isogloss",
        summary="Monitoring API of a contact-centre node.",
        description=documented.DESCRIPTION,
        version=VERSION,
        openapi_url="/v1/openapi.json",
        openapi_tags=documented.TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(each_once)],
    )
    app.state.view = view
    app.state.settings = settings
    app.state.desk = desk
    app.state.operating = operating
    app.state.live = live
    app.state.access = access
    app.state.once = Once()
    app.state.guesses = Guesses()
    app.state.limits = Limits(settings.callers)
    app.state.console = None
    for router in ROUTERS:
        app.include_router(router)
    app.state.doorman = Doorman()
    app.include_router(shared)
    if settings.pages is not None:
        app.include_router(desks.router)
        app.include_router(lines.router)
        app.include_router(router_of(settings.pages, settings.callers.origins, settings.callers.next_nodes))
    if settings.console is not None:
        _add_console(app, settings.console)
    problem.install(app, methods_at)
    documented.install(app)
    if settings.docs:
        _add_manual(app)
    app.add_middleware(Audited)
    app.add_middleware(Unchanged)
    app.add_middleware(Guard, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(Cors, callers=settings.callers)
    return app


def _add_console(app: FastAPI, terms: ConsoleTerms) -> None:
    """Pages that read the same view; what they need is read in when somebody comes for the first time."""
    if find_spec("nicegui") is None:
        log.warning("no console: its libraries are not installed", remedy="pip install 'isogloss[console]'")
        return
    from engine.console.console import mounted

    app.state.console = mounted(app, terms)


def set_settings(app: FastAPI, settings: Settings) -> None:
    """Have other tokens and keys count from the next request on."""
    app.state.settings = settings


def _add_manual(app: FastAPI) -> None:
    async def docs() -> HTMLResponse:
        return HTMLResponse(manual(app.openapi()))

    app.router.routes.append(APIRoute("/docs", docs, methods=["GET"], include_in_schema=False))
