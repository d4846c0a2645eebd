"""The hook points of WHMCS that change what a customer sees, and what each of them touches."""

from typing import Literal

Thing = Literal["invoice", "invoices", "services", "methods", "money", "person"]
Touched = frozenset[Thing]


def _kinds(names: str, *touched: Thing) -> dict[str, Touched]:
    return {name: frozenset(touched) for name in names.split()}


HOOKS: dict[str, Touched] = {
    **_kinds("InvoiceCreated InvoiceUnpaid InvoiceCancelled InvoiceChangeGateway UpdateInvoiceTotal", "invoice"),
    **_kinds("AddInvoiceLateFee InvoiceSplit", "invoice"),
    **_kinds("AddInvoicePayment InvoiceRefunded AddTransaction", "invoice", "money"),
    # What is paid moves a service's next due date on.
    **_kinds("InvoicePaid OrderPaid", "invoice", "money", "services"),
    **_kinds("AfterShoppingCartCheckout AcceptOrder CancelOrder PendingOrder FraudOrder", "invoices", "services"),
    **_kinds("DeleteOrder", "invoices", "services"),
    **_kinds("CancelAndRefundOrder", "invoices", "services", "money"),
    **_kinds("AfterModuleCreate AfterModuleSuspend AfterModuleUnsuspend AfterModuleTerminate", "services"),
    **_kinds("AfterModuleChangePackage ServiceEdit ServiceDelete ServiceRecurringCompleted", "services"),
    # With WHMCS's settings on, a cancellation cancels the open invoices of its service.
    **_kinds("CancellationRequest", "services", "invoices"),
    **_kinds("AfterProductUpgrade AfterConfigOptionsUpgrade", "services"),
    **_kinds("AddonAdd AddonActivation AddonActivated AddonSuspended AddonUnsuspended", "services"),
    **_kinds("AddonTerminated AddonCancelled", "services"),
    **_kinds("ClientEdit", "money", "person"),
    **_kinds("CCUpdate", "methods"),
    **_kinds("ClientAdd ClientClose PreDeleteClient AfterClientMerge", "invoices", "services", "methods", "money"),
}
# These fire before the change they report: an immediate read may still return the old state.
EARLY = frozenset("AcceptOrder CancelOrder PendingOrder FraudOrder DeleteOrder PreDeleteClient".split())
