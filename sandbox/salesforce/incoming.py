"""Checking the fields of a write against an object's schema, in Salesforce's words."""

from typing import Any

from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import Field, Object
from sandbox.salesforce.tables import Row, Tables
from sandbox.salesforce.values import stored_value


def accepted_values(
    tables: Tables, obj: Object, fields: dict[str, Any], *, creating: bool, system: bool = False
) -> Row:
    """Return the given fields under their canonical names with stored values; `system` may write all.

    Raises SalesforceError.
    """
    values: Row = {}
    for name, value in fields.items():
        if name == "attributes":
            continue
        field, value = _field_and_value(tables, obj, name, value)
        if not system and not (field.createable if creating else field.updateable):
            raise _not_writable(field.name)
        values[field.name] = stored_value(field, value)
    return values


def check_row(tables: Tables, obj: Object, before: Row, after: Row) -> None:
    """Check required fields, references and unique values of a row about to be kept. Raises SalesforceError."""
    missing = [field.name for field in obj.fields if field.required and after.get(field.name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise SalesforceError("REQUIRED_FIELD_MISSING", message, fields=missing)
    for field in obj.fields:
        value = after.get(field.name)
        if value is None or value == before.get(field.name):
            continue
        if field.to:
            _check_reference(tables, field, value)
        if field.unique:
            _check_unique(tables, obj, field, after)


def external_field(obj: Object, name: str) -> Field:
    """Return the external-id field of this name. Raises SalesforceError when it is none."""
    field = obj.field(name)
    if field is None or not field.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def _field_and_value(tables: Tables, obj: Object, name: str, value: Any) -> tuple[Field, Any]:
    field = obj.field(name)
    if field is not None and not isinstance(value, dict | list):
        return field, value
    parent = obj.parent(name)
    if parent is None or not isinstance(value, dict):
        message = f"No such column '{name}' on sobject of type {obj.name}"
        raise SalesforceError("INVALID_FIELD", message)
    return parent, _id_by_external_id(tables, parent, value)


def _id_by_external_id(tables: Tables, parent: Field, given: dict[str, Any]) -> str:
    keys = [name for name in given if name != "attributes"]
    if len(keys) != 1:
        message = "Relationship must name exactly one external ID field"
        raise SalesforceError("INVALID_FIELD", message, fields=[parent.name])
    obj = OBJECTS[parent.to]
    field, value = external_field(obj, keys[0]), given[keys[0]]
    found = tables.find(obj, field, str(value))
    if len(found) == 1:
        return str(found[0]["Id"])
    if found:
        message = f"{field.name}: more than one record found for external id field: [{value}]"
        raise SalesforceError("DUPLICATE_EXTERNAL_ID", message, fields=[parent.name])
    message = f"Foreign key external ID: {str(value).lower()} not found for field {field.name} in entity {obj.name}"
    raise SalesforceError("INVALID_FIELD", message)


def _not_writable(name: str) -> SalesforceError:
    message = (
        f"Unable to create/update fields: {name}. Please check the security settings of this field and verify that "
        "it is read/write for your profile or permission set."
    )
    return SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=[name])


def _check_reference(tables: Tables, field: Field, value: str) -> None:
    parent = tables.get(OBJECTS[field.to], value)
    if parent is None:
        raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[field.name])
    if parent.get("IsDeleted"):
        raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", fields=[field.name])


def _check_unique(tables: Tables, obj: Object, field: Field, after: Row) -> None:
    for other in tables.find(obj, field, after[field.name]):
        if other["Id"] != after.get("Id"):
            message = f"duplicate value found: {field.name} duplicates value on record with id: {other['Id'][:15]}"
            raise SalesforceError("DUPLICATE_VALUE", message, fields=[field.name])
