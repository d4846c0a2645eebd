"""DBOS: enqueue workflows by name inside the transaction that causes them, and the worker's configuration."""

import logging
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from asgi_correlation_id import correlation_id
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.database.connections import connector
from portal_app.infra.settings import DatabaseRole, Settings
from portal_app.infra.tasks.current_customer import current_customer
from portal_app.infra.tasks.current_order import current_order

APPLICATION, VERSION, QUEUE = "portal", "1", "portal"
_CUSTOMER, _ORDER = "customer:", "order:"
# DBOS has no clean-up of its own without its paid service. A workflow that waits or runs is never one of these.
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_OPTIONS = "-c idle_in_transaction_session_timeout=60000"


class WakeTopic:
    """The topics on which waiting workflows are woken. Workflows that wait during a release know these values."""

    ORDER = "resume"
    CANCELLATION = "look-again"
    PROFILE = "again"
    MESSAGE = "message-changed"
    TOP_UP = "top-up"
    LINE_ORDER = "line-order"


class DurableQueue:
    """Writes workflows and messages to DBOS's tables. Arguments are ids only, never personal data."""

    def __init__(self, settings: Settings, role: DatabaseRole) -> None:
        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._engine = sa.create_engine(
            settings.database_url_for(role),
            creator=connector(settings, role, name="portal-queue", options=_OPTIONS),
            pool_size=2,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )

    async def enqueue(
        self, session: AsyncSession, name: str, workflow_id: str, *args: str | int, delay_seconds: float = 0
    ) -> None:
        """Start a workflow when the transaction commits. A workflow with this id is started only once."""
        options: Any = {
            "queue_name": QUEUE,
            "workflow_name": name,
            "workflow_id": workflow_id,
            "app_version": VERSION,
            # The two fields of the record that a running workflow can read: the request, and the customer and the
            # order that this work came from.
            "authenticated_user": correlation_id.get() or workflow_id,
            "authenticated_roles": _roles(),
        }
        if delay_seconds:
            options["delay_seconds"] = delay_seconds
        await session.run_sync(lambda sync: self._client.enqueue_in_transaction(sync, options, *args))

    async def send(self, session: AsyncSession, workflow_id: str, message: str, *, topic: str, key: str) -> None:
        """Send a message to a waiting workflow when the transaction commits; each key is sent once."""
        await session.run_sync(
            lambda sync: self._client.send_in_transaction(sync, workflow_id, message, topic, idempotency_key=key)
        )

    async def status(self, workflow_id: str) -> str | None:
        """Return DBOS's status of a workflow, or None if there is no such workflow."""
        found = await self._client.list_workflows_async(workflow_ids=[workflow_id], load_input=False, load_output=False)
        return found[0].status if found else None

    async def delete_ended(self, *, before: datetime, most: int) -> int:
        """Delete workflows that ended before a moment, the oldest first, with their steps; return how many."""
        found = await self._client.list_workflows_async(
            status=list(_ENDED), completed_before=before.isoformat(), limit=most, load_input=False, load_output=False
        )
        if found:
            await self._client.delete_workflows_async([each.workflow_id for each in found])
        return len(found)

    def close(self) -> None:
        """Close the client's connections."""
        self._client.destroy()
        self._engine.dispose()


def customer_of(roles: list[str] | None) -> str:
    """Return the customer whose request started a workflow with these roles, empty for none."""
    return _in_roles(roles, _CUSTOMER)


def order_of(roles: list[str] | None) -> str:
    """Return the order whose processing started a workflow with these roles, empty for none."""
    return _in_roles(roles, _ORDER)


def _in_roles(roles: list[str] | None, kind: str) -> str:
    return next((role.removeprefix(kind) for role in roles or () if role.startswith(kind)), "")


def _roles() -> list[str] | None:
    named = ((_CUSTOMER, current_customer()), (_ORDER, current_order()))
    return [f"{kind}{name}" for kind, name in named if name] or None


def dbos_config(settings: Settings, *, executor: str) -> DBOSConfig:
    """Return the worker's DBOS configuration: worker role, JSON only, one pinned version, no migrations."""
    return {
        "name": APPLICATION,
        "system_database_url": settings.database_url_for("worker"),
        "db_engine_kwargs": {
            "creator": connector(settings, "worker", name="portal-durable", options=_OPTIONS),
            "hide_parameters": True,
        },
        "application_version": VERSION,
        "executor_id": executor,
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,
        "use_listen_notify": True,
        "sys_db_pool_size": 10,
        "log_level": "ERROR",
        "console_log_level": "ERROR",
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": min(1.0, settings.portal_poll_seconds),
    }


__all__ = [
    "APPLICATION",
    "DBOS",
    "QUEUE",
    "VERSION",
    "DurableQueue",
    "customer_of",
    "dbos_config",
    "order_of",
]
