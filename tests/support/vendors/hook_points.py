"""Every hook point that changes what a customer sees: its ids, and the data it changes."""

# What each hook point changes according to the documents of WHMCS, and the ids that the bridge sends.
INVOICE, MONEY, SERVICE, CARDS = "invoice", "money", "service", "cards"
EXPECTED: dict[str, tuple[tuple[str, ...], set[str]]] = {
    **dict.fromkeys(
        "InvoiceCreated InvoiceUnpaid InvoiceCancelled InvoiceChangeGateway UpdateInvoiceTotal"
        " AddInvoiceLateFee".split(),
        (("invoice_id",), {INVOICE}),
    ),
    "InvoiceSplit": (("invoice_id", "new_invoice_id"), {INVOICE}),
    **dict.fromkeys("AddInvoicePayment InvoiceRefunded".split(), (("invoice_id",), {INVOICE, MONEY})),
    "AddTransaction": (("client_id", "invoice_id"), {INVOICE, MONEY}),
    "InvoicePaid": (("invoice_id",), {INVOICE, MONEY, SERVICE}),
    "OrderPaid": (("order_id", "client_id", "invoice_id"), {INVOICE, MONEY, SERVICE}),
    "AfterShoppingCartCheckout": (("order_id", "invoice_id"), {INVOICE, SERVICE}),
    **dict.fromkeys(
        "AcceptOrder CancelOrder PendingOrder FraudOrder DeleteOrder".split(), (("order_id",), {INVOICE, SERVICE})
    ),
    "CancelAndRefundOrder": (("order_id",), {INVOICE, SERVICE, MONEY}),
    **dict.fromkeys(
        "AfterModuleCreate AfterModuleSuspend AfterModuleUnsuspend AfterModuleTerminate AfterModuleChangePackage"
        " ServiceEdit ServiceDelete AddonAdd AddonActivation AddonActivated AddonSuspended AddonUnsuspended"
        " AddonTerminated AddonCancelled".split(),
        (("service_id", "client_id"), {SERVICE}),
    ),
    "ServiceRecurringCompleted": (("service_id",), {SERVICE}),
    "CancellationRequest": (("service_id", "client_id"), {SERVICE, INVOICE}),
    # The hook names only an upgrade, and no call of WHMCS returns its owner: ServiceEdit or the reconcile finds it.
    **dict.fromkeys("AfterProductUpgrade AfterConfigOptionsUpgrade".split(), (("upgrade_id",), set())),
    "ClientEdit": (("client_id",), {MONEY}),
    "CCUpdate": (("client_id",), {CARDS}),
    **dict.fromkeys(
        "ClientAdd ClientClose PreDeleteClient AfterClientMerge".split(),
        (("client_id",), {INVOICE, SERVICE, CARDS, MONEY}),
    ),
}
