"""Builds the services for support cases."""

from dataclasses import dataclass

from portal_app.services.identity.context import ServiceContext
from portal_app.services.support.case_changes import CaseChanges
from portal_app.services.support.case_files import CaseFiles
from portal_app.services.support.cases import SupportCases
from portal_app.services.support.conversation import Conversation
from portal_app.services.support.delivery import SupportDelivery
from portal_app.wiring.base import Base
from portal_app.wiring.uploads import UploadServices


@dataclass(frozen=True, slots=True)
class SupportServices:
    """Cases and conversation are for customers, `delivery` and `changes` are used by the worker."""

    cases: SupportCases
    files: CaseFiles
    conversation: Conversation
    delivery: SupportDelivery
    changes: CaseChanges


def build_support(base: Base, context: ServiceContext, uploads: UploadServices) -> SupportServices:
    """Build the services over Salesforce's cases."""
    gateway = base.vendors.cases
    cases = SupportCases(base.settings, base.database, gateway, reads=base.reads, live=base.live)
    return SupportServices(
        cases=cases,
        files=CaseFiles(context, base.vendors.case_files),
        conversation=Conversation(context, base.live),
        delivery=SupportDelivery(
            base.settings, base.database, gateway, cases=cases, files=uploads.handing_over, live=base.live
        ),
        changes=CaseChanges(
            base.database, gateway, base.queue, cases=cases, email_outbox=base.email_outbox, live=base.live
        ),
    )
