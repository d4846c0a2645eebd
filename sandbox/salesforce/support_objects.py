"""The objects of support: cases, the comments on them, and their mails."""

from sandbox.salesforce.schema import (
    Field,
    checkbox,
    long_text,
    owned,
    picklist,
    read_only,
    reference,
    row_object,
    text,
)

CLOSED_CASE_STATUSES = ("Closed", "Resolved")
CASE_STATUSES = ("New", "Working", "Escalated", *CLOSED_CASE_STATUSES)

_CASE = row_object(
    "Case",
    "500",
    read_only(text("CaseNumber", 30)),
    reference("AccountId", "Account", "Cases"),
    reference("ContactId", "Contact", "Cases"),
    reference("ParentId", "Case", "Cases"),
    # Filled where agents merged the case into another.
    read_only(reference("MasterRecordId", "Case")),
    owned(),
    text("Subject", 255),
    long_text("Description"),
    picklist("Status", *CASE_STATUSES, default="New"),
    picklist("Priority", "High", "Medium", "Low", default="Medium"),
    picklist("Origin"),
    picklist("Type"),
    picklist("Reason"),
    read_only(checkbox("IsClosed")),
    read_only(Field("ClosedDate", "datetime")),
    read_only(checkbox("HasCommentsUnreadByOwner")),
    text("SuppliedName", 80),
    Field("SuppliedEmail", "email", 80),
    picklist("Portal_Kind__c", "Question", "Address Check", "Cancellation", "Order Problem"),
    picklist("Portal_Category__c"),
    text("Portal_Reference__c", 36, unique=True, external_id=True),
    text("Portal_Last_Message__c", 36),
    Field("Portal_Last_Activity_At__c", "datetime"),
    picklist("Portal_Last_Activity_By__c", "Customer", "Agent"),
    text("Portal_About__c", 80),
    text("Portal_Language__c", 5),
    Field("Portal_Rating__c", "double"),
    text("Portal_Rating_Words__c", 255),
    # Not unique: an upsert by it may find several.
    text("Portal_Threading_Id__c", 255, external_id=True),
    change_events=True,
)

_CASE_COMMENT = row_object(
    "CaseComment",
    "00a",
    reference("ParentId", "Case", "CaseComments", required=True, updateable=False),
    long_text("CommentBody", 4000),
    checkbox("IsPublished"),
)

_EMAIL_MESSAGE = row_object(
    "EmailMessage",
    "02s",
    reference("ParentId", "Case", "EmailMessages", updateable=False),
    text("Subject", 3000),
    long_text("TextBody", 131072),
    long_text("HtmlBody", 131072),
    Field("FromAddress", "email", 1000),
    text("FromName", 1000),
    text("ToAddress", 4000),
    text("CcAddress", 4000),
    text("BccAddress", 4000),
    checkbox("Incoming"),
    picklist("Status", "0", "1", "2", "3", "4", "5", default="3"),
    Field("MessageDate", "datetime"),
    checkbox("IsExternallyVisible", default=True),
    checkbox("HasAttachment"),
    text("MessageIdentifier", 765),
    long_text("Headers", 32000),
)

# Written by entitlement processes alone.
_CASE_MILESTONE = row_object(
    "CaseMilestone",
    "555",
    read_only(reference("CaseId", "Case", "CaseMilestones")),
    read_only(Field("StartDate", "datetime")),
    read_only(Field("TargetDate", "datetime")),
    read_only(Field("CompletionDate", "datetime")),
    read_only(checkbox("IsCompleted")),
    read_only(checkbox("IsViolated")),
)

# Made in the set-up of the org (CASE_STATUSES); nobody writes it by an API.
_CASE_STATUS = row_object(
    "CaseStatus",
    "01J",
    read_only(text("ApiName", 255)),
    read_only(text("MasterLabel", 255)),
    read_only(Field("SortOrder", "int")),
    read_only(checkbox("IsClosed")),
    read_only(checkbox("IsDefault")),
)
SUPPORT_OBJECTS = (_CASE, _CASE_COMMENT, _EMAIL_MESSAGE, _CASE_MILESTONE, _CASE_STATUS)
