"""Builds the services for sign-up, account set-up at the vendors, and migration of WHMCS clients."""

from dataclasses import dataclass

from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sign_in import SignIn
from portal_app.services.registration.account_setup import AccountSetup
from portal_app.services.registration.sign_up import SignUps
from portal_app.services.registration.whmcs_migration import WhmcsMigration
from portal_app.services.registration.whmcs_migration_setup import WhmcsMigrationSetup
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class RegistrationServices:
    """Sign-up and migration: the first two are used by pages and API, the others by workflows."""

    sign_ups: SignUps
    whmcs_migration: WhmcsMigration
    account_setup: AccountSetup
    whmcs_migration_setup: WhmcsMigrationSetup


def build_registration(base: Base, context: ServiceContext, sign_in: SignIn) -> RegistrationServices:
    """Build the services over WHMCS and Salesforce."""
    vendors = base.vendors
    clients, logins, existing_accounts = vendors.clients, vendors.logins, vendors.existing_accounts
    sign_ups = SignUps(context, sign_in)
    account_setup = AccountSetup(
        base.database,
        clients,
        vendors.crm,
        existing_accounts=existing_accounts,
        email_outbox=base.email_outbox,
        live=base.live,
    )
    return RegistrationServices(
        sign_ups=sign_ups,
        whmcs_migration=WhmcsMigration(
            context, sign_ups, sign_in, clients=clients, logins=logins, existing_accounts=existing_accounts
        ),
        account_setup=account_setup,
        whmcs_migration_setup=WhmcsMigrationSetup(
            account_setup, clients=clients, people=vendors.people, logins=logins, existing_accounts=existing_accounts
        ),
    )
