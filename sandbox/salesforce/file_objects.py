"""The objects of files: versions with content, documents that gather versions, and links from documents to rows."""

from sandbox.salesforce.schema import Field, checkbox, picklist, read_only, reference, row_object, text

_VERSION = row_object(
    "ContentVersion",
    "068",
    text("Title", 255),
    text("PathOnClient", 500, required=True, label="Path On Client"),
    Field("VersionData", "base64"),
    reference("ContentDocumentId", "ContentDocument", "ContentVersions", updateable=False),
    Field("FirstPublishLocationId", "reference", 18, updateable=False),
    text("Description", 1000),
    read_only(text("FileExtension", 40)),
    read_only(Field("ContentSize", "int")),
    read_only(text("Checksum", 50)),
    read_only(text("VersionNumber", 20)),
    read_only(checkbox("IsLatest")),
    read_only(
        picklist(
            "MalwareScanStatus",
            "NotScanned",
            "Scheduled",
            "Clean",
            "Malicious",
            "Skipped",
            "Failed",
            default="NotScanned",
        )
    ),
)
_DOCUMENT = row_object(
    "ContentDocument",
    "069",
    text("Title", 255),
    read_only(text("FileExtension", 40)),
    read_only(Field("ContentSize", "int")),
    read_only(Field("LatestPublishedVersionId", "reference", 18)),
)
_LINK = row_object(
    "ContentDocumentLink",
    "06A",
    reference("ContentDocumentId", "ContentDocument", "ContentDocumentLinks", required=True, updateable=False),
    Field("LinkedEntityId", "reference", 18, required=True, updateable=False),
    picklist("ShareType", "V", "I", "C", default="V"),
    picklist("Visibility", "AllUsers", "InternalUsers", default="AllUsers"),
    filtered_by=("ContentDocumentId", "LinkedEntityId"),
)
FILE_OBJECTS = (_VERSION, _DOCUMENT, _LINK)
