"""Builds what shows and changes a customer's own data."""

from dataclasses import dataclass

from portal_app.services.flash_messages import FlashMessages
from portal_app.services.identity.context import ServiceContext
from portal_app.services.profile.email_changes import EmailChanges
from portal_app.services.profile.kyc_documents import KycDocuments
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.profile.postcodes import Postcodes
from portal_app.services.profile.profile_changes import ProfileChanges
from portal_app.services.profile.profiles import Profiles
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class ProfileServices:
    """A customer's own data and identity documents."""

    flashes: FlashMessages
    postcodes: Postcodes
    profiles: Profiles
    profile_changes: ProfileChanges
    email_changes: EmailChanges
    identity_documents: KycDocuments
    identity_checks: KycReview


def build_profile(base: Base, identity: ServiceContext) -> ProfileServices:
    """Join them over what every service of identity stands on."""
    vendors, live = base.vendors, base.live
    profiles = Profiles(identity, vendors.people, live)
    return ProfileServices(
        flashes=FlashMessages(base.redis),
        postcodes=Postcodes(),
        profiles=profiles,
        profile_changes=ProfileChanges(
            base.database,
            vendors.people,
            vendors.crm,
            ring=identity.vault.ring,
            notifications=base.notifications,
            live=live,
        ),
        email_changes=EmailChanges(identity, profiles),
        identity_documents=KycDocuments(identity, vendors.identity_desk, live),
        identity_checks=KycReview(identity, vendors.identity_desk, live),
    )
