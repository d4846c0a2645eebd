"""What descriptions tell to tools that generate code from them."""

from typing import Any

import httpx
import pytest

_FIELD_KEYS = {
    "aggregatable", "aiPredictionField", "autoNumber", "byteLength", "calculated", "calculatedFormula", "cascadeDelete",
    "caseSensitive", "compoundFieldName", "controllerName", "createable", "custom", "defaultValue",
    "defaultValueFormula", "defaultedOnCreate", "dependentPicklist", "deprecatedAndHidden", "digits",
    "displayLocationInDecimal", "encrypted", "externalId", "extraTypeInfo", "filterable", "filteredLookupInfo",
    "formulaTreatNullNumberAsZero", "groupable", "highScaleNumber", "htmlFormatted", "idLookup", "inlineHelpText",
    "label", "length", "mask", "maskType", "name", "nameField", "namePointing", "nillable", "permissionable",
    "picklistValues", "polymorphicForeignKey", "precision", "queryByDistance", "referenceTargetField", "referenceTo",
    "relationshipName", "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale", "searchPrefilterable",
    "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
}  # fmt: skip


async def described(api: httpx.AsyncClient, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    body = (await api.get(f"/sobjects/{name}/describe")).json()
    return body, {field["name"]: field for field in body["fields"]}


@pytest.mark.parametrize("name", ["Account", "Order", "ContentVersion", "Order_Fulfilment_Requested__e"])
async def test_every_field_has_every_key(api: httpx.AsyncClient, name: str) -> None:
    body, fields = await described(api, name)

    assert all(set(field) == _FIELD_KEYS for field in fields.values())
    assert len(fields) == len(body["fields"])


async def test_a_compound_field_is_told_with_its_parts(api: httpx.AsyncClient) -> None:
    account, contact = [(await described(api, name))[1] for name in ("Account", "Contact")]

    parts = {name for name, field in account.items() if field["compoundFieldName"] == "BillingAddress"}
    assert parts == {f"Billing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")}
    whole = account["BillingAddress"]
    assert (whole["type"], whole["createable"], whole["compoundFieldName"]) == ("address", False, None)
    assert {contact[name]["compoundFieldName"] for name in ("FirstName", "LastName")} == {"Name"}
    assert (contact["MailingAddress"]["type"], account["Name"]["compoundFieldName"]) == ("address", None)


async def test_children_and_their_fields_agree_on_what_goes_along(api: httpx.AsyncClient) -> None:
    order, _ = await described(api, "Order")
    item, fields = await described(api, "OrderItem")
    document, _ = await described(api, "ContentDocument")

    def going(body: dict[str, Any]) -> set[str]:
        return {child["childSObject"] for child in body["childRelationships"] if child["cascadeDelete"]}

    assert going(order) == {"OrderItem"}
    assert going(document) == {"ContentVersion", "ContentDocumentLink"}
    assert (fields["OrderId"]["cascadeDelete"], fields["PricebookEntryId"]["cascadeDelete"]) == (True, False)
    assert (item["createable"], item["replicateable"]) == (True, True)
