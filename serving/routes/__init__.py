"""One file per resource."""

from serving.routes import documentation, feedback, health, kpis, leads, model, privacy, scores

ROUTERS = (
    scores.router,
    leads.router,
    feedback.router,
    kpis.router,
    privacy.router,
    model.router,
    health.router,
    documentation.router,
)
