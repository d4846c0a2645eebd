"""The switches of each vendor and what each does (listed in docs/integrations/sandbox.md too).

A switch is a number in `FaultSettings.special`: n applies to the next n times, -1 until it is set to 0 or the vendor to
healthy. A name that ends with `*` stands for all names with that prefix.
"""

from typing import Literal

Vendor = Literal["whmcs", "salesforce", "pubsub", "mail", "freebit"]
VENDORS: tuple[Vendor, ...] = ("whmcs", "salesforce", "pubsub", "mail", "freebit")

SWITCHES: dict[Vendor, dict[str, str]] = {
    "whmcs": {
        "wrong_signature": "sign the next webhook with a wrong secret",
        "duplicate_webhook": "send the next webhook twice",
        "foreign_ip": "see every API call come from 203.0.113.9, which only the access key lets in",
        "module_fails": "let the next Module action or set-up fail",
        "warning": "add a warning to the next successful write",
        "flattened_lists": "write the next answer's lists as flattened keys, plural[singular][0][id]",
        "gappy_lists": "write the next answer's lists as objects keyed by number, with gaps",
        "single_rows": "write lists of one row in the next answer as that row alone",
        "empty_texts": "write empty lists in the next answer as empty texts",
        "missing_lists": "leave empty lists out of the next answer",
        "odd_rows": "write the first row of each list in the next answer so that it cannot be read",
        "escaped_texts": "write the texts of the next answer with HTML entities, as in O&#039;Hara",
        "number_texts": "write the numbers of the next answer as texts",
        "translated_names": "give products and groups of the next answer a translated name unlike their own",
        "tax_in_hundredths": "a level, not counted off: work tax out in hundredths of a yen, as WHMCS does",
        "too_many_requests": "answer the next call 429 with Retry-After: 1, as a front end does",
        "sso_blocked": "refuse the next CreateSsoToken, as for a client who switched single sign-on off",
        "payment_pending": "leave the invoice of the next CapturePayment Payment Pending",
        "capture_declined": "decline the next charge, whatever the card",
        "charge_dies": "charge the card for the next CapturePayment, then die: no payment is booked, no answer comes",
        "auto_credit": "a level, not counted off: use credit for new invoices by itself",
        "attempt_only_once": "a level, not counted off: let the cron charge an invoice on its due day alone; by "
        "default it charges every unpaid one again each day",
        "invoice_numbers": "a level, not counted off: give invoices a number of their own when they are paid",
        "whmcs_8": "a level, not counted off: be WHMCS 8.13, where lines of issued invoices can be edited",
        "forbid_*": "refuse an API action to these credentials, as in forbid_getpaymethods",
    },
    "salesforce": {
        "expire_sessions": "end all sessions at the next call",
        "session_never_valid": "answer INVALID_SESSION_ID whatever the token",
        "login_refused": "refuse the login: the user has not approved this consumer",
        "daily_limit": "answer REQUEST_LIMIT_EXCEEDED, the daily limit being used up",
        "concurrent_limit": "answer REQUEST_LIMIT_EXCEEDED, too many long requests running",
        "requests_used": "a level, not counted off: so many of the day's requests are used already",
        "lock_row": "answer the next write UNABLE_TO_LOCK_ROW",
        "field_too_long": "answer the next write STRING_TOO_LONG, as if an admin had shortened a field",
        "validation_rule": "answer the next write FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "duplicates_detected": "answer the next write DUPLICATES_DETECTED",
        "trigger_failed": "answer the next write CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "several_matches": "answer the next call by external id 300 with two addresses",
        "query_timeout": "answer the next query QUERY_TIMEOUT",
        "stale_cursor": "answer the next further page of a query INVALID_QUERY_LOCATOR",
        "small_pages": "answer queries in pages of two rows, whatever was asked for",
        "server_unavailable": "answer 503 SERVER_UNAVAILABLE as JSON",
        "comment_silent": "a level, not counted off: no flow tells the case of its comments",
        "auto_response": "a level, not counted off: new cases need SuppliedEmail, as with an auto-response rule",
        "assignment_rule": "a level, not counted off: REST gives a changed case to the default owner unless "
        "Sforce-Auto-Assign is FALSE",
        "closed_locked": "a level, not counted off: a validation rule keeps closed cases closed and without comments",
        "no_token_field": "a level, not counted off: our user may not write Portal_Last_Message__c",
        "edit_comment": "a level, not counted off: our user may edit comments (Modify All Records)",
        "publish_limit": "answer the next platform event sent by REST LIMIT_EXCEEDED",
    },
    "pubsub": {
        "drop_stream": "cut the next stream as the network does: no error code",
        "goaway": "close every connection with GOAWAY, once",
        "end_stream": "end the next stream without an error",
        "silence": "keep streams open and send nothing, not even keepalives",
        "single_events": "answer with one event at a time",
        "crowded_answers": "answer with up to a hundred events more than were asked for",
        "replay_corrupted": "refuse the next replay id as corrupted",
        "reset_stream": "begin a new log at the next call: all stored replay ids are void",
        "duplicate_event": "store the next event twice: one id, two replay ids",
        "lose_event": "accept the next event and never deliver it",
        "undecodable_event": "store the next event with a payload that is no Avro",
        "new_schema": "give the next event's topic a new schema, and so a new schema id",
        "gap_event": "turn the next change into a gap event",
        "overflow": "turn the next change into an overflow event of its object",
        "delivery_limit": "refuse streams: the day's deliveries are used up",
        "error:*": "end the next call or stream with an error code of the bus, as in error:service.auth.error; "
        "a gRPC status may follow after a slash, as in error:service.unavailable/INTERNAL",
    },
    "mail": {},
    "freebit": {
        "expire_key": "end the auth key of the next call",
        "html": "carry the next call out and answer a web page with 200",
        "no_code": "answer the next call without a resultCode",
        "wrong_code": "refuse the next call with a code nobody knows (999)",
        "numeric_codes": "send the codes of the next answer as numbers",
        "fail_activation": "let the next activation come to nothing",
        "fail_*": "let the next job of a kind come to nothing, as in fail_voice, fail_line, fail_plan, fail_esim",
        "late_*": "a level, not counted off: minutes by which jobs of a kind are late, as in late_voice",
        "other_lock_code": "a level, not counted off: refuse calls for a locked line with 423-001, not 409-409",
        "other_state": "a level, not counted off: tell a state of lines that nobody knows",
        "usage_late": "a level, not counted off: minutes by which the traffic told is behind",
        "usage_gap": "a level, not counted off: the day so many days ago is missing from the traffic told",
        "usage_unit": "a level, not counted off: tell so many times the traffic, as after a change of unit",
        "recent_days": "a level, not counted off: how many days before today are told, 7 otherwise",
        "quota_missing": "a level, not counted off: do not tell what is left of a line's data",
        "hold_activations": "while on, not counted off: activations that come later wait until it is put back to 0",
        "preregister": "want PA05-18 before PA02-01, as the network did for a while",
    },
}


def is_switch(vendor: Vendor, name: str) -> bool:
    """Say whether a vendor has a switch of this name."""
    board = SWITCHES[vendor]
    return name in board or any(known.endswith("*") and name.startswith(known[:-1]) for known in board)
