"""One file per resource."""

from serving.routes import documentation, health, leads, model, scores

ROUTERS = (scores.router, leads.router, model.router, health.router, documentation.router)
