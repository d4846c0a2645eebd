"""The words for each audit tag, as the customer reads them."""

from portal_app.language import _

# Every tag of services/audit.py is here; tests/house/test_history_words.py checks it.
WORDS = {
    "account:user:created": "Account created",
    "account:mapping:created": "Account set up",
    "account:mapping:failed": "Setting the account up failed",
    "account:password:changed": "Password changed",
    "account:password:refused": "Changing the password failed: wrong present password",
    "account:reset:asked": "New password asked for by mail",
    "account:user:moved": "Account moved here",
    "account:user:closed": "Account closed: nobody can sign in",
    "account:user:reopened": "Account opened again",
    "account:move:refused": "Moving the account here was refused",
    "account:profile:changed": "Your details changed",
    "account:profile:refused": "A change of your details was refused",
    "account:salesforce:changed": "Your details handed to our team",
    "account:salesforce:refused": "Handing your details to our team failed",
    "account:email:asked": "Another e-mail address asked for",
    "account:identity_document:submitted": "Identity document sent",
    "account:identity_document:handed_over": "Identity document handed to our team; our copy deleted",
    "account:identity_document:refused": "Handing your identity document to our team failed; our copy deleted",
    "account:identity:verified": "Identity verified",
    "account:identity:rejected": "Identity document not accepted",
    "session:sign_in:succeeded": "Signed in",
    "session:sign_in:failed": "Sign-in failed",
    "session:sign_out:succeeded": "Signed out",
    "session:second_step:failed": "Second step failed after the right password",
    "session:step_up:succeeded": "Confirmed it was you",
    "session:step_up:failed": "Confirming that it was you failed",
    "session:refresh:reused": "Signed out to protect you: a sign-in was used from two places",
    "factor:two_step:turned_on": "Two-step sign-in turned on",
    "factor:two_step:turned_off": "Two-step sign-in turned off",
    "factor:recovery_codes:renewed": "New recovery codes made",
    "factor:recovery_code:used": "Recovery code used",
    "factor:passkey:added": "Passkey added",
    "factor:passkey:renamed": "Passkey renamed",
    "factor:passkey:removed": "Passkey removed",
    "factor:passkey:copied": "A copy of a passkey was used, and refused",
    "order:order:placed": "Order placed",
    "order:salesforce:created": "Order handed to our team",
    "order:whmcs:created": "Order entered in billing",
    "order:order:activated": "Order active",
    "order:order:failed": "Order could not be finished",
    "internet:check:asked": "Address check requested",
    "internet:salesforce:created": "Address check handed to our team",
    "internet:check:answered": "Address checked",
    "billing:payment_method:made_default": "Payment method made the default",
    "billing:payment_method:removed": "Payment method removed",
    "order:order:undone": "Order restarted by our team",
    "service:cancellation:scheduled": "Cancellation of a service asked for",
    "service:cancellation:withdrawn": "Cancellation of a service withdrawn",
    "sim:top_up:asked": "Data bought for a SIM line",
    "sim:top_up:paid": "Data for a SIM line paid",
    "sim:top_up:delivered": "Data added to a SIM line",
    "sim:top_up:stopped": "Purchase of data stopped",
    "sim:top_up:handed_over": "Purchase of data handed to our team",
    "sim:auto_top_up:on": "Automatic top-up of a SIM line turned on",
    "sim:auto_top_up:off": "Automatic top-up of a SIM line turned off",
    "sim:alert:set": "Alert for a SIM line set",
    "sim:alert:removed": "Alert for a SIM line removed",
    "sim:calls:taken": "Calls and SMS of a SIM line downloaded",
    "sim:change:asked": "Change of a SIM line asked for",
    "sim:change:withdrawn": "Change of a SIM line withdrawn",
    "sim:change:carried_out": "SIM line changed",
    "sim:change:failed": "Change of a SIM line came to nothing",
    "sim:change:handed_over": "Change of a SIM line handed to our team",
    "service:cancellation:sent": "Cancellation of a service sent on",
    "service:cancellation:refused": "Cancellation of a service stopped",
    "service:service:ended": "Service ended",
    "account:notifications:changed": "What you are told was changed",
    "account:calendar:opened": "New calendar link made",
    "account:calendar:closed": "Calendar link ended",
    "billing:sign_on:opened": "Payment page opened",
    "support:case:opened": "Support case opened",
    "support:case:solved": "Support case closed by you",
    "support:file:malware_found": "File deleted: our virus scanner found something in it",
}
_ACTORS = {"you": "You", "staff": "Our staff", "system": "Our system"}


def what_happened(tag: str) -> str:
    """Return the words for a tag."""
    return _(WORDS.get(tag, "Something on your account changed"))


def who_did(actor: str) -> str:
    """Return who did it, as the customer would say."""
    return _(_ACTORS.get(actor, "Our system"))
