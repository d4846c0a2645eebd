"""What a description tells of each field, with every key the vendor's answer has, for tools that generate code."""

from typing import Any

from sandbox.salesforce.rules import CASCADES
from sandbox.salesforce.schema import Field, Object

_SOAP_TYPES = {"boolean": "xsd:boolean", "double": "xsd:double", "currency": "xsd:double", "int": "xsd:int"}
_SOAP_TYPES |= {"date": "xsd:date", "datetime": "xsd:dateTime", "id": "tns:ID", "reference": "tns:ID"}
_SOAP_TYPES |= {"address": "urn:address", "base64": "xsd:base64Binary"}
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")
# What the org has nothing of: its fields are neither computed, encrypted, dependent nor part of a master-detail.
_ALWAYS: dict[str, Any] = {
    "aiPredictionField": False,
    "calculated": False,
    "calculatedFormula": None,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}


def described_fields(obj: Object) -> list[dict[str, Any]]:
    """Return the description of an object's fields; a compound address comes after its parts."""
    found: list[dict[str, Any]] = []
    for field in obj.fields:
        found.append(_field(obj, field))
        if field.name.endswith("Country") and (compound := _compound(obj, field)):
            found.append(_address(obj, compound))
    return found


def cascades(parent: Object, child: Object, field: Field) -> bool:
    """Say whether rows of the child go when the parent goes."""
    return (child.name, field.name) in CASCADES.get(parent.name, ())


def _field(obj: Object, field: Field) -> dict[str, Any]:
    is_text = field.type == "textarea"
    own = {
        "aggregatable": field.type not in ("textarea", "multipicklist", "boolean", "base64"),
        "autoNumber": field.name.endswith("Number") and not field.createable,
        "byteLength": field.length * 3,
        "cascadeDelete": any((obj.name, field.name) in children for children in CASCADES.values()),
        "compoundFieldName": _compound(obj, field),
        "createable": field.createable,
        "custom": field.name.endswith("__c"),
        "defaultValue": field.default,
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId",
        "digits": 9 if field.type == "int" else 0,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if is_text else None,
        "filterable": not is_text,
        "groupable": field.groupable,
        "idLookup": field.external_id or field.type == "id",
        "label": field.caption,
        "length": field.length,
        "name": field.name,
        "nameField": field.name in ("Name", "CaseNumber", "OrderNumber", "OrderItemNumber"),
        "namePointing": field.name == "OwnerId",
        "nillable": not field.required and field.type not in ("id", "boolean"),
        "permissionable": field.createable and not field.required,
        "picklistValues": [_choice(value, field.default) for value in field.values],
        "polymorphicForeignKey": field.name == "OwnerId",
        "precision": 18 if field.type in ("double", "currency") else 0,
        "referenceTo": [field.to] if field.to else [],
        "relationshipName": field.relationship or None,
        "restrictedPicklist": field.restricted,
        "scale": 2 if field.type == "currency" else 0,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.type not in ("textarea", "multipicklist", "base64"),
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
    }
    return dict(sorted((_ALWAYS | own).items()))


def _address(obj: Object, name: str) -> dict[str, Any]:
    whole = _field(obj, Field(name, "string", createable=False, updateable=False))
    closed = dict.fromkeys(("aggregatable", "groupable", "sortable", "permissionable"), False)
    return whole | closed | {"queryByDistance": True, "type": "address", "soapType": _SOAP_TYPES["address"]}


def _compound(obj: Object, field: Field) -> str | None:
    for part in _ADDRESS_PARTS:
        prefix = field.name.removesuffix(part)
        if prefix != field.name and obj.field(prefix + "Street") is not None:
            return prefix + "Address"
    is_name = field.name in ("FirstName", "LastName") and obj.field("Name") is not None
    return "Name" if is_name else None


def _choice(value: str, default: Any) -> dict[str, Any]:
    return {"value": value, "label": value, "active": True, "defaultValue": value == default, "validFor": None}
