"""Validates an order request and turns it into items, options and an address."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from portal_app.domain.catalog.plan import CATEGORIES, Plan
from portal_app.domain.checkout.options import InternetOptions, Options, SimOptions, extras_of
from portal_app.domain.checkout.request import Basket, OrderRequest
from portal_app.domain.checkout.steps import Answers, Rules, options_of
from portal_app.domain.errors import Conflict, ExternalUnavailable, InvalidInput, NotAllowed, OfferChanged
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import today
from portal_app.infra.settings import Settings
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.customer_limits import CustomerLimits
from portal_app.services.internet.eligibility import EligibilityChecks
from portal_app.services.internet.single_line import refuse_second_line
from portal_app.services.profile.kyc_documents import KycDocuments
from portal_app.services.profile.profiles import Profiles
from portal_app.services.subscriptions.subscriptions import Subscriptions

_SENT_THERE = "Add your address in Japanese first: the SIM card is sent there."
_INSTALLED_THERE = "Add your address in Japanese first: the line is installed there."
_PRICE_DIFFERS = "This plan cannot be ordered at the moment: we are checking its price. Try again later."


@dataclass(frozen=True, slots=True)
class CheckoutContext:
    """The services with the customer's data that an order request is validated against, and the customer's limits."""

    payments: Payments
    subscriptions: Subscriptions
    profiles: Profiles
    identity: KycDocuments
    checks: EligibilityChecks
    limits: CustomerLimits


class Checkout:
    """Validates order requests against catalogue, customer and rules."""

    def __init__(self, settings: Settings, catalog: Catalog, context: CheckoutContext) -> None:
        self._settings = settings
        self._catalog = catalog
        self._context = context

    def rules(self) -> Rules:
        """Return the facts that answers are validated against, without those of a customer."""
        return Rules(today(), self._settings.mnp_min_days_left)

    async def rules_for(self, customer: Customer, plan: Plan) -> Rules:
        """Return the facts that a customer's answers about a plan are validated against."""
        if plan.service.category != "internet":
            return self.rules()
        check = await self._context.checks.check_for(customer)
        return replace(self.rules(), address_id=check.address_id, is_offered=check.is_available(plan))

    async def plan(self, customer: Customer, sku: str) -> Plan:
        """Return a plan that this customer can order. Raises NotFound, NotAllowed, and Conflict for a second line."""
        plan = await self._catalog.plan(sku)
        if plan.service.category not in CATEGORIES:
            raise NotAllowed("not sold online", user_message="This plan is ordered with our team. Write to us.")
        if plan.service.category == "internet":
            refuse_second_line((await self._context.subscriptions.subscriptions_for(customer)).rows)
        if plan.service.is_family and not await self.has_sim(customer):
            message = "Family plans are for customers who have a SIM line with us."
            raise NotAllowed("no line yet", user_message=message)
        return await self._available_extras_only(customer, plan)

    async def has_sim(self, customer: Customer) -> bool:
        """Return whether a customer has a SIM line that is open or being opened."""
        services = (await self._context.subscriptions.subscriptions_for(customer)).rows
        return any(row.is_line_of("sim") and row.status in ("active", "pending") for row in services)

    async def basket(self, customer: Customer, plan: Plan, answers: Answers) -> Basket:
        """Return the basket for a plan and answers. Raises InvalidInput for missing or invalid answers."""
        options = options_of(plan, answers, await self.rules_for(customer, plan))
        return Basket(plan, plan.with_extras(extras_of(options)), options)

    async def needs_identity(self, customer: Customer, plan: Plan) -> bool:
        """Return whether the customer must submit an identity document before ordering a plan."""
        is_voice = plan.service.category == "sim" and plan.service.has_voice
        return is_voice and not (await self._context.identity.check_for(customer)).is_orderable

    async def validate(self, customer: Customer, request: OrderRequest) -> Basket:
        """Return the basket to order. Raises InvalidInput, NotFound, NotAllowed, Conflict, ExternalUnavailable."""
        plan = await self.plan(customer, request.sku)
        if not await self._context.payments.payment_methods_for(customer):
            raise InvalidInput({"payment": "Add a payment method first."})
        if not plan.is_orderable:
            raise Conflict("price differs from billing", user_message=_PRICE_DIFFERS)
        basket = await self.basket(customer, plan, request.answers)
        if await self.needs_identity(customer, plan):
            raise InvalidInput({"identity": "Send us an identity document first: the law asks it for voice lines."})
        if not request.has_accepted_terms:
            raise InvalidInput({"terms_accepted": "Accept the terms of service to order."})
        if request.totals is not None and request.totals != basket.totals:
            raise OfferChanged("other totals than agreed")
        return Basket(plan, basket.items, basket.options, await self._address(customer, basket.options))

    async def count(self, customer: Customer, request: OrderRequest) -> None:
        """Count a valid order before it is written. Raises RateLimited."""
        content = json.dumps([request.sku, request.answers], sort_keys=True)
        await self._context.limits.count_order(customer.user_id, sha256(content.encode()).hexdigest())

    async def _available_extras_only(self, customer: Customer, plan: Plan) -> Plan:
        """Return the plan without extras not available at the customer's address, if the address was checked."""
        if not any(extra.offers for extra in (*plan.extras, *plan.hidden)):
            return plan
        check = await self._context.checks.check_for(customer)
        return plan.with_offers(check.offers) if check.status == "eligible" else plan

    async def _address(self, customer: Customer, options: Options | None) -> Address | None:
        """Return the customer's address. Raises InvalidInput if the order needs one and it is unknown."""
        is_sent = isinstance(options, SimOptions) and options.sim_type == "physical"
        is_needed = is_sent or isinstance(options, InternetOptions)
        try:
            address = (await self._context.profiles.profile_for(customer)).person.address
        except ExternalUnavailable:
            # Orders without an address are possible while WHMCS is unavailable.
            if is_needed:
                raise
            return None
        if address is None and is_needed:
            raise InvalidInput({"address": _SENT_THERE if is_sent else _INSTALLED_THERE})
        return address
