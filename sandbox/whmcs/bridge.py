"""The signed bridge events as portal_bridge.php sends them: an outbox in the store and a sender that retries."""

import asyncio
import contextlib
import hashlib
import hmac
import time
import uuid
from datetime import datetime, timedelta

import httpx

from sandbox.store import Document
from sandbox.whmcs.installation import Installation
from sandbox.whmcs.php import json_encode

BACKOFF_MINUTES = (1, 5, 15, 60, 240)
GIVE_UP_HOURS = 72
# What portal_bridge.php listens to; every other hook fires unheard.
BRIDGED = frozenset(
    """
    InvoiceCreated InvoicePaid InvoiceUnpaid InvoiceCancelled InvoiceRefunded InvoiceChangeGateway UpdateInvoiceTotal
    AddInvoiceLateFee InvoiceSplit AddInvoicePayment AddTransaction
    OrderPaid AfterShoppingCartCheckout AcceptOrder CancelOrder PendingOrder FraudOrder DeleteOrder CancelAndRefundOrder
    ClientAdd ClientEdit ClientClose PreDeleteClient AfterClientMerge CCUpdate
    ServiceEdit ServiceDelete ServiceRecurringCompleted CancellationRequest
    AfterModuleCreate AfterModuleSuspend AfterModuleUnsuspend AfterModuleTerminate AfterModuleChangePackage
    AfterProductUpgrade AfterConfigOptionsUpgrade
    AddonAdd AddonActivation AddonActivated AddonSuspended AddonUnsuspended AddonTerminated AddonCancelled
    """.split()
)
_POLL_SECONDS = 1.0
# The PHP file waits two seconds because it runs inside a visitor's request. Here nobody waits, and a busy machine must
# not turn a slow answer into a retry a minute later.
_TIMEOUT_SECONDS = 10.0


class Bridge:
    """Write fired hooks to the outbox and deliver them, at least once and in no promised order."""

    def __init__(self, whmcs: Installation) -> None:
        self._whmcs = whmcs
        self._store = whmcs.store
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        whmcs.listeners.append(self.record)

    def record(self, event: str, ids: dict[str, int]) -> None:
        """Put one event into the outbox; it belongs to the caller's transaction."""
        if event not in BRIDGED or not self._whmcs.settings.whmcs_webhook_url or self._is_stopped():
            return
        now = self._whmcs.clock.now()
        delivery = str(uuid.uuid4())
        payload: Document = {"id": delivery, "event": event, "occurred_at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        payload |= {"source": self._whmcs.url, "api_version": 1, "data": ids}
        row = {"event_id": delivery, "event": event, "payload": json_encode(payload), "attempts": 0}
        times = {"created_at": now.isoformat(), "next_at": now.isoformat(), "last_error": ""}
        self._store.put("whmcs.outbox", delivery, row | times)
        self._due.set()

    def start(self) -> None:
        """Begin delivering in the background."""
        self._task = asyncio.create_task(self._deliver_for_ever())

    async def stop(self) -> None:
        """Stop delivering; what is left stays in the outbox."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _deliver_for_ever(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client:
            while True:
                self._due.clear()
                await self._deliver_due(client)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), _POLL_SECONDS)

    async def _deliver_due(self, client: httpx.AsyncClient) -> None:
        now = self._whmcs.clock.now()
        for row in self._store.all("whmcs.outbox"):
            if self._is_stopped():
                return
            if datetime.fromisoformat(row["next_at"]) <= now:
                await self._deliver(client, row)

    async def _deliver(self, client: httpx.AsyncClient, row: Document) -> None:
        row["attempts"] += 1
        began = self._whmcs.clock.now()
        twice = self._whmcs.faults.take_special("whmcs", "duplicate_webhook")
        try:
            answer = await self._post(client, row)
            if twice:
                answer = await self._post(client, row)
            error = "" if answer.is_success else f"HTTP {answer.status_code}"
        except httpx.HTTPError as failure:
            answer, error = None, f"{type(failure).__name__}"
        with self._store.transaction():
            # What was forgotten by a reset meanwhile has no consequences any more.
            if self._store.get("whmcs.outbox", row["event_id"]) is not None:
                self._note(row, error, gone=answer is not None and answer.status_code == 410, began=began)

    def _is_stopped(self) -> bool:
        """Say whether the portal has answered 410 once: then nothing is sent until the world is reset."""
        return self._store.get("whmcs.bridge", "stopped") is not None

    async def _post(self, client: httpx.AsyncClient, row: Document) -> httpx.Response:
        settings = self._whmcs.settings
        body = row["payload"].encode()
        # The receiver compares with real time, so the sandbox's movable clock must not be used here.
        timestamp = str(int(time.time()))
        secret = settings.whmcs_webhook_secret
        if self._whmcs.faults.take_special("whmcs", "wrong_signature"):
            secret = f"not {secret}"
        headers = {
            "Content-Type": "application/json; charset=utf-8", "User-Agent": "whmcs-bridge/1",
            "X-Whmcs-Event": row["event"], "X-Whmcs-Delivery": row["event_id"],
            "X-Whmcs-Attempt": str(row["attempts"]), "X-Whmcs-Timestamp": timestamp,
            "X-Whmcs-Key": settings.whmcs_webhook_key,
            "X-Whmcs-Signature": f"v1={signature(secret, timestamp, row['event_id'], body)}",
        }  # fmt: skip
        return await client.post(settings.whmcs_webhook_url, content=body, headers=headers)

    def _note(self, row: Document, error: str, *, gone: bool, began: datetime) -> None:
        if gone:
            self._store.put("whmcs.bridge", "stopped", {"at": began.isoformat()})
        row["last_error"] = error
        age = began - datetime.fromisoformat(row["created_at"])
        if error and not gone and age < timedelta(hours=GIVE_UP_HOURS):
            step = BACKOFF_MINUTES[min(row["attempts"], len(BACKOFF_MINUTES)) - 1]
            row["next_at"] = (began + timedelta(minutes=step)).isoformat()
            self._store.put("whmcs.outbox", row["event_id"], row)
        else:
            self._store.delete("whmcs.outbox", row["event_id"])


def signature(secret: str, timestamp: str, delivery: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 over timestamp.delivery.body."""
    message = f"{timestamp}.{delivery}.".encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
