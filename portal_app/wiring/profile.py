"""Builds the services for personal data and identity documents."""

from dataclasses import dataclass

from portal_app.services.identity.context import ServiceContext
from portal_app.services.profile.email_changes import EmailChanges
from portal_app.services.profile.kyc_documents import KycDocuments
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.profile.postcodes import Postcodes
from portal_app.services.profile.profile_changes import ProfileChanges
from portal_app.services.profile.profiles import Profiles
from portal_app.services.uploads.handing_over import HandingOver
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class ProfileServices:
    """Personal data, their changes, and identity documents."""

    postcodes: Postcodes
    profiles: Profiles
    profile_changes: ProfileChanges
    email_changes: EmailChanges
    kyc_documents: KycDocuments
    kyc_review: KycReview


def build_profile(base: Base, context: ServiceContext, handing_over: HandingOver) -> ProfileServices:
    """Build the services over WHMCS, which stores personal data, and Salesforce, where agents review documents."""
    vendors, live = base.vendors, base.live
    profiles = Profiles(context, vendors.people, live)
    return ProfileServices(
        postcodes=Postcodes(),
        profiles=profiles,
        profile_changes=ProfileChanges(
            base.database,
            vendors.people,
            vendors.crm,
            ring=context.secrets.ring,
            email_outbox=base.email_outbox,
            live=live,
        ),
        email_changes=EmailChanges(context, profiles),
        kyc_documents=KycDocuments(context, vendors.kyc, live),
        kyc_review=KycReview(context, vendors.kyc, live, handing_over=handing_over),
    )
