"""Re-exports what the webhook route needs: signature check and the list of accepted WHMCS hooks."""

from portal_app.integrations.whmcs.webhooks import parse_secrets as parse_webhook_secrets
from portal_app.integrations.whmcs.webhooks import verify as verify_webhook
from portal_app.services.inbound.whmcs_hooks import HOOKS

__all__ = ["HOOKS", "parse_webhook_secrets", "verify_webhook"]
