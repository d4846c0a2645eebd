"""The words of an order's steps: what each is called, what it means while it lasts, and whom it waits for."""

from dataclasses import dataclass
from typing import Literal

WaitsFor = Literal["us", "agent", "carrier", "you", "day"]


@dataclass(frozen=True, slots=True)
class StepText:
    """A step in English: its title, what it means while it is under way, and whom it waits for then."""

    title: str
    meaning: str
    waits_for: WaitsFor = "us"


STEPS = {
    "placed": StepText("Placed", "We have your order and are passing it to our team."),
    "in_review": StepText("In review", "Our team checks the order. Nothing is charged meanwhile.", "agent"),
    "approved": StepText("Approved", "Our team approved the order."),
    "sim_reserved": StepText("SIM set aside", "A SIM is being set aside for you."),
    "scheduled": StepText(
        "Waiting for the day you chose", "The line is opened on that day. Nothing is charged before.", "day"
    ),
    "billing_created": StepText("Billing created", "Your first invoice is being made."),
    "service_set_up": StepText("Service set up", "Your service is being switched on."),
    "line_ordered": StepText("Line ordered from the carrier", "We are ordering your line from the carrier."),
    "voice_ordered": StepText("Calls registered", "Calls are being registered in your name."),
    "line_open": StepText("Line open", "The carrier is opening your line, usually within ten minutes.", "carrier"),
    "active": StepText("Active", "The last records are being written."),
    "waiting_for_card": StepText(
        "Waiting for a payment method", "The order stopped here because no card or bank was stored.", "you"
    ),
    "card_added": StepText("Payment method added", "The order goes on."),
    "waiting_for_identity": StepText(
        "Waiting for your identity check", "The law asks for a verified identity before a voice line opens.", "agent"
    ),
    "identity_verified": StepText("Identity verified", "The order goes on."),
    "not_accepted": StepText("Not accepted", "Our team could not accept this order. Nothing was charged.", "agent"),
    "cancelled": StepText("Cancelled", "The order was cancelled."),
    "undone": StepText("Restarted by our team", "Our team undid the steps and restarts the order.", "agent"),
    "needs_attention": StepText(
        "Needs attention", "Something stopped the order. Our team is looking into it.", "agent"
    ),
    "case_opened": StepText("Our team was asked to look into it", "The order took longer than it should."),
    "failed_SIM_OUT_OF_STOCK": StepText(
        "Waiting for a SIM", "No SIM is in stock at the moment. Our team gets new ones and continues.", "agent"
    ),
    "failed_SECOND_INTERNET": StepText(
        "Stopped: there is a line already",
        "We install one internet line per customer. Our team looks into it.",
        "agent",
    ),
    "failed_LINE_NOT_OPENED": StepText(
        "Line not opened", "The carrier could not open the line. Our team asks there and continues.", "agent"
    ),
    "failed_LINE_LATE": StepText(
        "The carrier takes long", "The carrier has not opened the line yet. Our team asks there.", "carrier"
    ),
}
# An order that pauses, by what it waits for.
PAUSES = {
    "card": STEPS["waiting_for_card"],
    "document": StepText(
        "Waiting for your identity document", "The law asks for a verified identity before a voice line opens.", "you"
    ),
    "document_check": StepText("Your document is being checked", "Our team compares it with your details.", "agent"),
    "new_document": StepText(
        "Waiting for another identity document", "Our team could not accept the one you sent.", "you"
    ),
}
FAILED = StepText(
    "Stopped for a check",
    "A step did not go through. Our team is looking into it; you need not order again.",
    "agent",
)
WHO = {"you": "you", "staff": "our team", "system": "automatic"}
WAITS: dict[WaitsFor, str] = {
    "us": "automatic",
    "agent": "waiting for our team",
    "carrier": "waiting for the carrier",
    "you": "waiting for you",
    "day": "waiting for the day",
}
# By stage, by stage and last step, or by stage and kind of service where that says more.
STORIES = {
    "in_review:internet": (
        "Our team books the installation and agrees on the day with you, usually two to four weeks ahead. When the "
        "line is there, it approves the order and the rest happens by itself."
    ),
    "active:internet": "Your internet line is working. Its invoice is under Billing.",
    "active:sim": (
        "Your line is open. For an eSIM, our team sends you what your phone needs to install it. Its invoice is under "
        "Billing."
    ),
    "needs_attention:failed_SECOND_INTERNET": (
        "You have an internet line already, and we install one per customer. Our team looks into it."
    ),
    "received": "Your order is safe with us. It goes to our team for review by itself, and this page shows each step.",
    "in_review": "Our team looks at the order next, usually within a working day. You need not do anything.",
    "being_set_up": "The order is approved. Billing and service are being set up now; this takes a minute or two.",
    "being_set_up:scheduled": "The order is approved and waits for the day you chose. It goes on then by itself.",
    "being_set_up:line_ordered": (
        "The carrier opens your line now. That usually takes up to ten minutes, and longer where your number comes "
        "along. You need not do anything."
    ),
    "being_set_up:voice_ordered": (
        "The carrier opens your line now. That usually takes up to ten minutes, and longer where your number comes "
        "along. You need not do anything."
    ),
    "active": "Your service is working. Its invoice is under Billing.",
    "not_accepted": "Our team could not accept this order. Nothing was charged. Write to us if you want to know more.",
    "cancelled": "This order was cancelled. Nothing more happens with it.",
    "in_progress": "The order is in progress. This page changes by itself.",
    "needs_attention": "Something stopped the order and our team is looking into it. You need not order again.",
    "needs_attention:card": "Add a card and the order goes on by itself. You need not order again.",
    "needs_attention:document": (
        "A voice line opens only for a verified identity. Send a document; once it is verified the order goes on by "
        "itself."
    ),
    "needs_attention:document_check": (
        "Our team checks your document, usually within a working day. Once it is verified the order goes on by itself."
    ),
    "needs_attention:new_document": (
        "Our team needs another document. Send it; once it is verified the order goes on by itself."
    ),
    "needs_attention:team": "Your identity is verified. The order goes on by itself within a few minutes.",
    "needs_attention:failed_SIM_OUT_OF_STOCK": (
        "No SIM is in stock at the moment. Our team gets new ones and continues; you need not order again."
    ),
    "needs_attention:failed_LINE_LATE": (
        "The carrier has not opened your line yet. Our team asks there and continues; you need not order again."
    ),
}
