"""One file per resource."""

from serving.routes import documentation, feedback, health, leads, model, scores

ROUTERS = (scores.router, leads.router, feedback.router, model.router, health.router, documentation.router)
