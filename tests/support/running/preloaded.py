"""What the process imports from which the portal's programs are forked: each of them would import it again."""

import limits.aio.storage
import valkey.asyncio
from sqlalchemy.orm import configure_mappers

import portal_app.cli
import portal_app.jobs.admin.orders
import portal_app.jobs.listener
import portal_app.jobs.worker

__all__ = ["limits", "portal_app", "valkey"]
configure_mappers()
