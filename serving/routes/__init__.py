"""One file per resource."""

from serving.cockpit.router import ROUTERS as PAGES
from serving.routes import (
    agreement,
    alerts,
    documentation,
    feedback,
    health,
    kpis,
    leads,
    metrics,
    model,
    privacy,
    scores,
    shadow,
)

ROUTERS = (
    scores.router,
    leads.router,
    feedback.router,
    kpis.router,
    agreement.router,
    privacy.router,
    model.router,
    alerts.router,
    shadow.router,
    health.router,
    metrics.router,
    documentation.router,
    *PAGES,
)
