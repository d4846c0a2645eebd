"""Builds what shows and changes a customer's own data."""

from dataclasses import dataclass

from portal_app.services.flash_messages import Flashes
from portal_app.services.identity.context import IdentityBase
from portal_app.services.profile.email_changes import EmailChanges
from portal_app.services.profile.kyc_documents import IdentityDocuments
from portal_app.services.profile.kyc_review import IdentityChecks
from portal_app.services.profile.postcodes import Postcodes
from portal_app.services.profile.profile_changes import ProfileChanges
from portal_app.services.profile.profiles import Profiles
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class ProfileServices:
    """A customer's own data and identity documents."""

    flashes: Flashes
    postcodes: Postcodes
    profiles: Profiles
    profile_changes: ProfileChanges
    email_changes: EmailChanges
    identity_documents: IdentityDocuments
    identity_checks: IdentityChecks


def build_profile(base: Base, identity: IdentityBase) -> ProfileServices:
    """Join them over what every service of identity stands on."""
    vendors, live = base.vendors, base.live
    profiles = Profiles(identity, vendors.people, live)
    return ProfileServices(
        flashes=Flashes(base.redis),
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
        identity_documents=IdentityDocuments(identity, vendors.identity_desk, live),
        identity_checks=IdentityChecks(identity, vendors.identity_desk, live),
    )
