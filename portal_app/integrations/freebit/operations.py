"""The operations of Freebit's API that the portal uses, by the ids of their specification pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `safe` ones may be sent again; `versioned` ones take a second form field."""

    spec: str
    path: str
    safe: bool = False
    versioned: bool = False


AUTHENTICATE = Operation("PA01", "authOem/", safe=True)
REGISTER = Operation("PA02-01", "master/addAcnt/", versioned=True)
CANCEL = Operation("PA02-04", "master/cnclAcnt/")
DETAIL = Operation("PA03-02", "master/getAcnt/", safe=True)
ADD_DATA = Operation("PA04-04", "master/addSpec/")
USAGE = Operation("PA05-01", "mvno/getTrafficInfo/", safe=True)
DATA_HISTORY = Operation("PA05-02", "mvno/getQuotaHistory/", safe=True)
REGISTER_VOICE = Operation("PA05-05", "mvno/talkoption/addOrder/")
CHANGE_VOICE = Operation("PA05-06", "mvno/talkoption/changeOrder/")
ANNOUNCE = Operation("PA05-18", "mvno/semiblack/addTempAcnt/")
REGISTER_PORTED = Operation("PA05-19", "mvno/semiblack/addAcnt/")
CHANGE_PLAN = Operation("PA05-21", "mvno/changePlan/")
CHANGE_NETWORK = Operation("PA05-38", "mvno/contractline/change/")
ESIM = Operation("PA05-41", "mvno/esim/addAcnt/")


class Paths:
    """Where each operation is: the documented or assumed path, unless the settings name another."""

    def __init__(self, base: str, overrides: str) -> None:
        self._base = base.rstrip("/")
        self._other = named(overrides)

    def url(self, operation: Operation) -> str:
        """Return the address of an operation; all of them end with a slash."""
        return f"{self._base}/{self._other.get(operation.spec, operation.path).strip('/')}/"


def named(text: str) -> dict[str, str]:
    """Read `name=value,name=value`. Raises ValueError."""
    pairs = [entry.partition("=") for entry in text.split(",") if entry.strip()]
    if any(not (sign and name.strip() and value.strip()) for name, sign, value in pairs):
        raise ValueError("write name=value, separated by commas")
    return {name.strip(): value.strip() for name, _, value in pairs}
