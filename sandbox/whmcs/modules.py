"""What provisioning modules do to a service (fact sheet 2.5): create, suspend, unsuspend, terminate, passwords."""

from collections.abc import Callable

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request

MODULE_FAILED = "Could not connect to the provisioning server"
Effect = Callable[[Installation, Document, Request], None]


def activate(whmcs: Installation, service: Document) -> None:
    """Run a service's create module."""
    _become(whmcs, service, "Active", "AfterModuleCreate")


def terminate(whmcs: Installation, service: Document, status: str = "Terminated") -> None:
    """Run a service's terminate module; an executed cancellation leaves it Cancelled."""
    _become(whmcs, service, status, "AfterModuleTerminate")


def _create(whmcs: Installation, service: Document, request: Request) -> None:
    activate(whmcs, service)


def _suspend(whmcs: Installation, service: Document, request: Request) -> None:
    service["suspensionreason"] = request.text("suspendreason")
    _become(whmcs, service, "Suspended", "AfterModuleSuspend")


def _unsuspend(whmcs: Installation, service: Document, request: Request) -> None:
    service["suspensionreason"] = ""
    _become(whmcs, service, "Active", "AfterModuleUnsuspend")


def _terminate(whmcs: Installation, service: Document, request: Request) -> None:
    terminate(whmcs, service)


def _change_package(whmcs: Installation, service: Document, request: Request) -> None:
    whmcs.hook("AfterModuleChangePackage", **_ids(service))


def _change_password(whmcs: Installation, service: Document, request: Request) -> None:
    service["password"] = request.text("servicepassword") or service["password"]
    whmcs.save("service", service)


def _custom(whmcs: Installation, service: Document, request: Request) -> None:
    if not request.text("func_name"):
        raise Refused("Function Name is required")


def _runs(effect: Effect) -> Callable[[Installation, Request], Document]:
    def action(whmcs: Installation, request: Request) -> Document:
        number = request.number("serviceid") or request.number("accountid")
        if not number:
            raise Refused("Service ID is required")
        service = whmcs.row("service", number)
        if service is None:
            raise Refused("Service ID not found")
        if not (whmcs.row("product", service["pid"]) or {"module": ""})["module"]:
            raise Refused("Service not assigned to a module")
        if whmcs.faults.take_special("whmcs", "module_fails"):
            raise Refused(MODULE_FAILED)
        effect(whmcs, service, request)
        return {}

    return action


def _become(whmcs: Installation, service: Document, status: str, event: str) -> None:
    service["status"] = status
    whmcs.save("service", service)
    whmcs.hook(event, **_ids(service))


def _ids(service: Document) -> dict[str, int]:
    return {"service_id": service["id"], "client_id": service["clientid"], "product_id": service["pid"]}


ACTIONS = {
    "ModuleCreate": _runs(_create),
    "ModuleSuspend": _runs(_suspend),
    "ModuleUnsuspend": _runs(_unsuspend),
    "ModuleTerminate": _runs(_terminate),
    "ModuleChangePackage": _runs(_change_package),
    "ModuleChangePw": _runs(_change_password),
    "ModuleCustom": _runs(_custom),
}
