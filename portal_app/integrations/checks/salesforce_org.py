"""What the portal needs of the org: objects, fields and values, as docs/integrations/salesforce.md lists them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal_app.infra.checks.check import Problem

Described = Mapping[str, Any]
_MOST_NAMED = 8
_PERMISSIONS = "Give the integration user's permission set access to it (field-level security too)"


@dataclass(frozen=True, slots=True)
class ObjectNeeds:
    """The fields of one object that the portal reads, and those that it writes as well.

    `key` is the external id of its records, `values` what a picklist must offer. `creates`: the portal makes records.
    """

    reads: str = ""
    writes: str = ""
    key: str = ""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    creates: bool = False

    @property
    def names(self) -> list[str]:
        """All fields."""
        return [*self.reads.split(), *self.writes.split(), *([self.key] if self.key else [])]


NEEDS: dict[str, ObjectNeeds] = {
    "Account": ObjectNeeds(
        reads="Id_Verification_Note__c",
        writes="Name Phone BillingStreet BillingCity BillingState BillingPostalCode BillingCountry WH_Account__c "
        "Portal_Status__c Portal_Registration_Source__c Internet_Eligibility_Status__c Internet_Eligibility__c "
        "Internet_Eligibility_Requested_At__c Internet_Eligibility_Checked_At__c Internet_Eligibility_Note__c "
        "Id_Verification_Status__c Id_Verification_Submitted_At__c",
        key="SF_Account_No__c",
        values={
            "Portal_Status__c": ("Active",),
            "Portal_Registration_Source__c": ("New Signup", "Migrated"),
            "Internet_Eligibility_Status__c": ("Not Requested", "Pending", "Eligible", "Ineligible"),
            "Id_Verification_Status__c": ("Not Submitted", "Submitted", "Verified", "Rejected"),
        },
        creates=True,
    ),
    "Contact": ObjectNeeds(
        writes="FirstName LastName Email MobilePhone AccountId FirstName_Kana__c LastName_Kana__c",
        key="Portal_User_Id__c",
        creates=True,
    ),
    "Product2": ObjectNeeds(
        reads="Name Description IsActive StockKeepingUnit Item_Class__c Billing_Cycle__c Product_Category__c "
        "Portal_Catalog__c Portal_Accessible__c Auto_Add__c Display_Order__c WH_Product_ID__c Required_Products__c "
        "Dependent_Products__c Mutually_Exclusive__c Eligibility_Condition__c Internet_Plan_Tier__c "
        "Internet_Offering_Type__c VPN_Region__c SIM_Data_Size__c SIM_Plan_Type__c SIM_Has_Family_Discount__c "
        "Freebit_Plan_Code__c",
    ),
    "Pricebook2": ObjectNeeds(reads="IsActive"),
    "PricebookEntry": ObjectNeeds(reads="Pricebook2Id Product2Id UnitPrice IsActive"),
    "Order": ObjectNeeds(
        writes="AccountId EffectiveDate Pricebook2Id Status Order_Type__c Activation_Status__c Activation_Type__c "
        "Activation_Scheduled_At__c Activation_Error_Code__c Activation_Error_Message__c WHMCS_Order_ID__c "
        "Internet_Plan_Tier__c Installation_Type__c Weekend_Install__c Access_Mode__c Hikari_Denwa__c Switch_Number__c "
        "SIM_Type__c EID__c SIM_Voice_Mail__c SIM_Call_Waiting__c MNP_Application__c MNP_Reservation_Number__c "
        "MNP_Expiry_Date__c MNP_Phone_Number__c Porting_LastName__c Porting_FirstName__c "
        "Porting_LastName_Katakana__c Porting_FirstName_Katakana__c Porting_Gender__c Porting_DateOfBirth__c",
        key="Portal_Order_Id__c",
        values={
            "Status": ("Pending Review", "Rejected", "Cancelled", "Processed"),
            "Order_Type__c": ("Internet", "SIM", "VPN", "Other"),
            "Activation_Status__c": ("Not Started", "Activating", "Activated", "Failed"),
            "Activation_Type__c": ("Immediate", "Scheduled"),
            "SIM_Type__c": ("Physical SIM", "eSIM"),
        },
        creates=True,
    ),
    "OrderItem": ObjectNeeds(
        writes="OrderId PricebookEntryId Quantity UnitPrice WHMCS_Service_ID__c",
        creates=True,
    ),
    "Opportunity": ObjectNeeds(
        writes="Name AccountId StageName CloseDate WHMCS_Service_ID__c Portal_Source__c Cancellation_Kind__c "
        "Cancellation_Month__c Cancellation_Reason__c Cancellation_Requested_At__c",
        values={
            "StageName": ("Introduction", "Ready", "Active", "Cancelling", "Cancelled", "Void"),
            "Cancellation_Kind__c": ("Internet", "SIM"),
        },
        creates=True,
    ),
    "SIM_Inventory__c": ObjectNeeds(
        reads="Phone_Number__c ICCID__c Product_Number__c SIM_Type__c",
        writes="Status__c Assigned_Account__c Assigned_Order__c",
        values={"Status__c": ("Available", "Assigned", "Retired"), "SIM_Type__c": ("Physical SIM", "eSIM")},
    ),
    "Case": ObjectNeeds(
        reads="CaseNumber IsClosed ClosedDate MasterRecordId HasCommentsUnreadByOwner Portal_Last_Activity_At__c "
        "Portal_Last_Activity_By__c Portal_Threading_Id__c",
        writes="Origin Status Priority Subject Description AccountId ContactId ParentId SuppliedName SuppliedEmail "
        "Portal_Kind__c Portal_Category__c Portal_Last_Message__c Portal_About__c Portal_Language__c Portal_Rating__c "
        "Portal_Rating_Words__c",
        key="Portal_Reference__c",
        values={
            "Status": ("New", "Working", "Closed"),
            "Portal_Kind__c": ("Question", "Address Check", "Cancellation", "Order Problem"),
        },
        creates=True,
    ),
    "CaseComment": ObjectNeeds(writes="ParentId CommentBody IsPublished", creates=True),
    "EmailMessage": ObjectNeeds(
        reads="ParentId Subject TextBody HtmlBody FromAddress FromName ToAddress CcAddress Incoming Status "
        "IsExternallyVisible HasAttachment"
    ),
    "CaseMilestone": ObjectNeeds(reads="CaseId TargetDate IsCompleted"),
    "CaseStatus": ObjectNeeds(reads="ApiName IsClosed SortOrder"),
    "ContentVersion": ObjectNeeds(
        reads="Checksum ContentDocumentId", writes="Title PathOnClient Description", creates=True
    ),
    "ContentDocumentLink": ObjectNeeds(reads="ContentDocumentId LinkedEntityId Visibility"),
}


def object_problems(name: str, needs: ObjectNeeds, described: Described) -> list[Problem]:
    """Return what an object lacks, by what the org describes to the portal's user."""
    fields = {str(each.get("name")): each for each in described.get("fields") or ()}
    found = list(_field_problems(name, needs, fields))
    if needs.creates and not described.get("createable"):
        found.append(Problem(f"Salesforce does not let the portal's user create {name}.", f"{_PERMISSIONS}: Create."))
    own = [each for each in described.get("recordTypeInfos") or () if each.get("defaultRecordTypeMapping")]
    if needs.creates and any(not each.get("available", True) or each.get("active") is False for each in own):
        wrong = f"The default record type of {name} is not available to the portal's user: creating one fails."
        found.append(Problem(wrong, "Assign it an active default record type in its profile or permission set."))
    return found


def _field_problems(name: str, needs: ObjectNeeds, fields: Mapping[str, Described]) -> Iterator[Problem]:
    if missing := [each for each in needs.names if each not in fields]:
        wrong = f"Salesforce shows the portal's user no {_some(name, missing)}."
        yield Problem(wrong, f"Make the field as docs/integrations/salesforce.md says. {_PERMISSIONS}.")
    written = [fields[each] for each in needs.writes.split() if each in fields]
    # A parent is chosen at creation alone; a compound part is both.
    if closed := [str(each["name"]) for each in written if not (each.get("createable") or each.get("updateable"))]:
        yield Problem(
            f"Salesforce does not let the portal's user write {_some(name, closed)}.", f"{_PERMISSIONS}: Edit."
        )
    key = fields.get(needs.key)
    if key is not None and not (key.get("externalId") and key.get("unique")):
        wrong = f"{name}.{needs.key} is no unique external id: records could be made twice."
        yield Problem(wrong, "Tick External ID and Unique in the field's definition.")
    for field_name, wanted in needs.values.items():
        offered = {str(each.get("value")) for each in fields.get(field_name, {}).get("picklistValues") or ()}
        if offered and (absent := [value for value in wanted if value not in offered]):
            wrong = f"{name}.{field_name} does not offer {', '.join(absent)}."
            yield Problem(wrong, "Add these values to the picklist, spelled so, for the user's record type too.")


def _some(name: str, fields: list[str]) -> str:
    more = len(fields) - _MOST_NAMED
    return ", ".join(f"{name}.{each}" for each in fields[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
