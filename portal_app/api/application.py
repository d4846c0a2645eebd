"""Assembles the HTTP API: its routes, its errors, its description."""

from fastapi import FastAPI

from portal_app.api import auth, sign_up
from portal_app.api.problem import answer_errors
from portal_app.infra.settings import Settings


def build_api(settings: Settings) -> FastAPI:
    """Return the API that Reflex's pages are mounted under; documented at /api/openapi.json."""
    api = FastAPI(
        title="Portal API",
        version="1",
        description="What a customer can do in the portal, for programs. Errors are application/problem+json.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.portal_url}],
    )
    for part in (auth, sign_up):
        api.include_router(part.router)
    answer_errors(api)
    return api
