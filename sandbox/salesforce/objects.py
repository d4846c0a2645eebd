"""The org's objects, declared: the standard fields in use and the org's own."""

from sandbox.salesforce.file_objects import FILE_OBJECTS
from sandbox.salesforce.schema import (
    Field,
    Object,
    address,
    checkbox,
    event_object,
    long_text,
    of,
    owned,
    picklist,
    read_only,
    reference,
    row_object,
    text,
)
from sandbox.salesforce.support_objects import SUPPORT_OBJECTS

DRAFT_STATUSES = ("Pending Review", "Rejected", "Cancelled")
ACTIVATED_STATUSES = ("Processed",)

_OFFERINGS = ("Home 1G", "Apartment 1G", "Apartment 100M", "Home 10G", "Apartment 10G")

_ACCOUNT = row_object(
    "Account",
    "001",
    text("Name", 255, required=True, label="Account Name"),
    text("AccountNumber", 40),
    picklist("Type"),
    reference("ParentId", "Account", "ChildAccounts"),
    owned(),
    of("phone", "Phone", "Fax", length=40),
    Field("Website", "url", 255),
    long_text("Description"),
    address("Billing"),
    address("Shipping"),
    text("SF_Account_No__c", 20, unique=True, external_id=True),
    text("WH_Account__c", 255),
    picklist("Portal_Status__c", "Active", "Inactive"),
    picklist("Portal_Registration_Source__c", "New Signup", "Migrated"),
    picklist("Internet_Eligibility_Status__c", "Not Requested", "Pending", "Eligible", "Ineligible"),
    Field("Internet_Eligibility__c", "multipicklist", 4099, values=_OFFERINGS, restricted=True),
    of("datetime", "Internet_Eligibility_Requested_At__c", "Internet_Eligibility_Checked_At__c"),
    text("Internet_Eligibility_Note__c", 255),
    picklist("Id_Verification_Status__c", "Not Submitted", "Submitted", "Verified", "Rejected"),
    of("datetime", "Id_Verification_Submitted_At__c"),
    text("Id_Verification_Note__c", 255),
    change_events=True,
)

_CONTACT = row_object(
    "Contact",
    "003",
    text("FirstName", 40, label="First Name"),
    text("LastName", 80, required=True, label="Last Name"),
    read_only(text("Name", 121, label="Full Name")),
    reference("AccountId", "Account", "Contacts"),
    owned(),
    Field("Email", "email", 80),
    of("phone", "Phone", "MobilePhone", length=40),
    text("Title", 128),
    Field("Birthdate", "date"),
    address("Mailing"),
    text("FirstName_Kana__c", 40),
    text("LastName_Kana__c", 40),
    text("Portal_User_Id__c", 36, unique=True, external_id=True),
)

_PRODUCT = row_object(
    "Product2",
    "01t",
    text("Name", 255, required=True, label="Product Name"),
    text("ProductCode", 255),
    text("StockKeepingUnit", 180, label="Product SKU"),
    long_text("Description", 4000),
    picklist("Family"),
    checkbox("IsActive"),
    picklist("Item_Class__c", "Service", "Installation", "Add-on", "Activation"),
    picklist("Billing_Cycle__c", "Monthly", "Onetime"),
    picklist("Product_Category__c", "Internet", "SIM", "VPN", "Other"),
    of("boolean", "Portal_Catalog__c", "Portal_Accessible__c", "Auto_Add__c", "Is_Default__c", default=False),
    of("double", "Display_Order__c", "WH_Product_ID__c"),
    text("WH_Product_Name__c", 255),
    long_text("Required_Products__c"),
    long_text("Dependent_Products__c"),
    long_text("Mutually_Exclusive__c"),
    long_text("Eligibility_Condition__c"),
    picklist("Internet_Plan_Tier__c"),
    picklist("Internet_Offering_Type__c", *_OFFERINGS),
    picklist("VPN_Region__c"),
    text("SIM_Data_Size__c", 40),
    picklist("SIM_Plan_Type__c", "DataOnly", "DataSmsVoice"),
    checkbox("SIM_Has_Family_Discount__c"),
    text("Freebit_Plan_Code__c", 32),
    change_events=True,
)

_PRICEBOOK = row_object(
    "Pricebook2",
    "01s",
    text("Name", 255, required=True, label="Price Book Name"),
    text("Description", 255),
    checkbox("IsActive"),
    read_only(checkbox("IsStandard")),
)

_PRICEBOOK_ENTRY = row_object(
    "PricebookEntry",
    "01u",
    read_only(text("Name", 255)),
    reference("Pricebook2Id", "Pricebook2", "PricebookEntries", required=True, updateable=False),
    reference("Product2Id", "Product2", "PricebookEntries", required=True, updateable=False),
    read_only(text("ProductCode", 255)),
    Field("UnitPrice", "currency", required=True, label="List Price"),
    checkbox("IsActive"),
    checkbox("UseStandardPrice"),
    change_events=True,
)

_ORDER = row_object(
    "Order",
    "801",
    read_only(text("OrderNumber", 30)),
    reference("AccountId", "Account", "Orders", required=True),
    owned(),
    Field("EffectiveDate", "date", required=True, label="Order Start Date"),
    of("date", "EndDate"),
    picklist("Status", *DRAFT_STATUSES, *ACTIVATED_STATUSES, required=True),
    read_only(picklist("StatusCode", "Draft", "Activated")),
    reference("Pricebook2Id", "Pricebook2"),
    reference("BillToContactId", "Contact"),
    reference("ShipToContactId", "Contact"),
    long_text("Description"),
    text("PoNumber", 80),
    text("OrderReferenceNumber", 80),
    read_only(Field("TotalAmount", "currency")),
    read_only(Field("ActivatedDate", "datetime")),
    read_only(reference("ActivatedById", "User")),
    address("Billing"),
    address("Shipping"),
    text("Portal_Order_Id__c", 36, unique=True, external_id=True),
    picklist("Order_Type__c", "Internet", "SIM", "VPN", "Other"),
    picklist("Activation_Status__c", "Not Started", "Activating", "Activated", "Failed", default="Not Started"),
    picklist("Activation_Type__c", "Immediate", "Scheduled"),
    of("datetime", "Activation_Scheduled_At__c"),
    text("Activation_Error_Code__c", 80),
    text("Activation_Error_Message__c", 255),
    text("WHMCS_Order_ID__c", 20),
    of("picklist", "Internet_Plan_Tier__c", "Installation_Type__c", "Access_Mode__c", length=255),
    of("boolean", "Weekend_Install__c", "Hikari_Denwa__c", default=False),
    text("Switch_Number__c", 11),
    picklist("SIM_Type__c", "Physical SIM", "eSIM"),
    text("EID__c", 32),
    of("boolean", "SIM_Voice_Mail__c", "SIM_Call_Waiting__c", "MNP_Application__c", default=False),
    text("MNP_Reservation_Number__c", 10),
    of("date", "MNP_Expiry_Date__c"),
    text("MNP_Phone_Number__c", 11),
    of("string", "Porting_LastName__c", "Porting_FirstName__c", length=40),
    of("string", "Porting_LastName_Katakana__c", "Porting_FirstName_Katakana__c", length=40),
    picklist("Porting_Gender__c"),
    of("date", "Porting_DateOfBirth__c"),
    change_events=True,
)

_ORDER_ITEM = row_object(
    "OrderItem",
    "802",
    read_only(text("OrderItemNumber", 30)),
    reference("OrderId", "Order", "OrderItems", required=True, updateable=False),
    reference("PricebookEntryId", "PricebookEntry", "OrderItems", required=True, updateable=False),
    read_only(reference("Product2Id", "Product2")),
    Field("Quantity", "double", required=True),
    Field("UnitPrice", "currency", required=True, label="Unit Price"),
    read_only(Field("TotalPrice", "currency")),
    of("date", "ServiceDate", "EndDate"),
    text("Description", 255),
    text("WHMCS_Service_ID__c", 20),
)

_OPPORTUNITY = row_object(
    "Opportunity",
    "006",
    text("Name", 120, required=True, label="Opportunity Name"),
    reference("AccountId", "Account", "Opportunities"),
    owned(),
    picklist("StageName", "Introduction", "Ready", "Active", "Cancelling", "Cancelled", "Void", required=True),
    Field("CloseDate", "date", required=True),
    Field("Amount", "currency"),
    long_text("Description"),
    text("WHMCS_Service_ID__c", 20),
    text("Portal_Source__c", 255),
    picklist("Cancellation_Kind__c", "Internet", "SIM"),
    of("date", "Cancellation_Month__c"),
    text("Cancellation_Reason__c", 255),
    of("datetime", "Cancellation_Requested_At__c"),
)

_SIM_INVENTORY = row_object(
    "SIM_Inventory__c",
    "a0S",
    read_only(text("Name", 80)),
    owned(),
    text("Phone_Number__c", 11),
    text("ICCID__c", 20),
    text("Product_Number__c", 15),
    picklist("SIM_Type__c", "Physical SIM", "eSIM"),
    picklist("Status__c", "Available", "Assigned", "Retired"),
    reference("Assigned_Account__c", "Account", "SIM_Inventory__r"),
    reference("Assigned_Order__c", "Order", "SIM_Inventory__r"),
)

_USER = row_object(
    "User",
    "005",
    text("Username", 80),
    text("Name", 121),
    text("FirstName", 40),
    text("LastName", 80),
    Field("Email", "email", 128),
    checkbox("IsActive"),
)

_ORGANIZATION = row_object(
    "Organization",
    "00D",
    *map(
        read_only,
        (
            text("Name", 80),
            picklist("OrganizationType"),
            text("InstanceName", 5),
            checkbox("IsSandbox"),
            text("NamespacePrefix", 15),
            Field("TrialExpirationDate", "datetime"),
            picklist("LanguageLocaleKey"),
            picklist("TimeZoneSidKey"),
        ),
    ),
)

_FULFILMENT = event_object(
    "Order_Fulfilment_Requested__e",
    "e01",
    text("OrderId__c", 18),
    text("IdemKey__c", 80),
    text("CorrelationId__c", 80),
    text("RequestedBy__c", 80),
    Field("Version__c", "double"),
)

OBJECTS: dict[str, Object] = {
    each.name: each
    for each in (
        _ACCOUNT,
        _CONTACT,
        _OPPORTUNITY,
        _ORDER,
        _ORDER_ITEM,
        _ORGANIZATION,
        _FULFILMENT,
        _PRICEBOOK,
        _PRICEBOOK_ENTRY,
        _PRODUCT,
        _SIM_INVENTORY,
        _USER,
        *FILE_OBJECTS,
        *SUPPORT_OBJECTS,
    )
}
CHANGE_EVENT_OBJECTS = tuple(each.name for each in OBJECTS.values() if each.change_events)

_BY_LOWER_NAME = {name.lower(): each for name, each in OBJECTS.items()}


def find_object(name: str) -> Object | None:
    """Return an object by its name in any case, or None."""
    return _BY_LOWER_NAME.get(name.lower())
