"""The routers of all pages: whatever stands in pages/ is a page, so that adding one touches no list."""

from __future__ import annotations

from serving.cockpit.navigation import routers

ROUTERS = tuple(routers())
