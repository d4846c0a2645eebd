"""REST resources that describe the org: versions, objects, fields and limits."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import not_found
from sandbox.salesforce.objects import OBJECTS, find_object
from sandbox.salesforce.rest.conditions import is_unchanged_since
from sandbox.salesforce.rest.describe_fields import cascades, described_fields
from sandbox.salesforce.schema import Object

_OLDEST, _NEWEST = 31, 67
# The objects change with the sandbox's release only.
_CHANGED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SEASONS = ("Spring", "Summer", "Winter")


def versions() -> list[dict[str, str]]:
    """Return the API versions served, oldest first."""
    return [
        {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(_OLDEST, _NEWEST + 1)
    ]


def is_served(version: str) -> bool:
    """Say whether an API version such as `62.0` is served."""
    whole, dot, rest = version.partition(".")
    return whole.isdecimal() and dot + rest == ".0" and _OLDEST <= int(whole) <= _NEWEST


def resources(call: Call) -> Answer:
    """Answer the paths of this version's resources."""
    names = ("sobjects", "query", "queryAll", "limits", "composite")
    return Answer(200, {name: f"{call.api_path}/{name}" for name in names})


def all_objects(call: Call) -> Answer:
    """Answer the short description of every object."""
    found = [_short(call, obj) for obj in OBJECTS.values()]
    return _unless_known(call, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})


def one_object(call: Call) -> Answer:
    """Answer the full description of an object."""
    obj = find_object(call.path[1])
    if obj is None:
        raise not_found()
    full = {
        "fields": described_fields(obj),
        "childRelationships": _children(obj),
        "actionOverrides": [],
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {_plural(obj)}", "name": "everything"}],
    }
    return _unless_known(call, _short(call, obj) | full)


def object_head(call: Call) -> Answer:
    """Answer what GET on an object itself tells: its short description and no recent rows."""
    obj = find_object(call.path[1])
    if obj is None:
        raise not_found()
    return Answer(200, {"objectDescribe": _short(call, obj), "recentItems": []})


def limits(used: int, most: int, events: dict[str, dict[str, int]]) -> Answer:
    """Answer the org's limits; `events` holds those of events."""
    daily = {"Max": most, "Remaining": max(0, most - used)}
    return Answer(
        200,
        {
            "DailyApiRequests": daily,
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            **events,
            "DailyStandardVolumePlatformEvents": {"Max": 25_000, "Remaining": 25_000},
        },
    )


def _unless_known(call: Call, body: Any) -> Answer:
    changed = {"Last-Modified": format_datetime(_CHANGED_AT, usegmt=True)}
    known = is_unchanged_since(_CHANGED_AT, call.headers.get("if-modified-since"))
    return Answer(304, None, changed) if known else Answer(200, body, changed)


def _label(number: int) -> str:
    # Version 58 was Summer '23, and there are three a year.
    steps = number - 57
    return f"{_SEASONS[steps % 3]} '{23 + steps // 3 + (steps % 3 == 2)}"


def _short(call: Call, obj: Object) -> dict[str, Any]:
    path = f"{call.api_path}/sobjects/{obj.name}"
    is_row = obj.kind == "row"
    return {
        "name": obj.name,
        "label": obj.name.removesuffix("__c").removesuffix("__e").replace("_", " "),
        "labelPlural": _plural(obj),
        "keyPrefix": obj.prefix,
        "custom": obj.custom,
        "createable": any(field.createable for field in obj.fields),
        "updateable": is_row,
        "deletable": is_row,
        "queryable": is_row,
        "retrieveable": is_row,
        "searchable": False,
        "triggerable": True,
        "undeletable": is_row,
        "layoutable": is_row,
        "mergeable": False,
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "compactLayoutable": is_row,
        "customSetting": False,
        "deepCloneable": False,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "mruEnabled": False,
        "replicateable": is_row,
        "urls": {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"},
    }


def _plural(obj: Object) -> str:
    return obj.name.removesuffix("__c").removesuffix("__e").replace("_", " ") + "s"


def _children(obj: Object) -> list[dict[str, Any]]:
    return [
        {
            "childSObject": other.name,
            "field": field.name,
            "relationshipName": field.children or None,
            "cascadeDelete": cascades(obj, other, field),
            "deprecatedAndHidden": False,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "restrictedDelete": False,
        }
        for other in OBJECTS.values()
        for field in other.fields
        if field.to == obj.name
    ]
