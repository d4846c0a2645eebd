"""Where files are chosen on a page, for `components.file_uploads`."""

from dataclasses import dataclass
from uuid import uuid4

from portal_app.domain.uploads.upload import DOCUMENT_DRAFT, MEGABYTE
from portal_app.language import _
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class UploadPlace:
    """The key of a draft, what is said of its files' size, and where a plain form goes."""

    key: str = ""
    most_bytes: int = 0
    hint: str = ""
    too_large: str = ""
    form_action: str = ""
    form_key: str = ""

    @classmethod
    def for_draft(cls, key: str, turn: int = 0) -> "UploadPlace":
        """Return the place of a message's draft; the list of its files begins again with each turn."""
        kinds = _("Pictures, PDF, text, Word, Excel or PowerPoint, at most {most} MB each. You can drop them here too.")
        return cls._built(f"{key}/{turn}", kinds, f"/api/cases/{key}/reply-form")

    @classmethod
    def for_document(cls, form_action: str) -> "UploadPlace":
        """Return the place of an identity document."""
        kinds = _("JPG, PNG or PDF, at most {most} MB. All four corners in the picture, every word readable.")
        return cls._built(f"{DOCUMENT_DRAFT}/0", kinds, form_action)

    @classmethod
    def _built(cls, key: str, kinds: str, form_action: str) -> "UploadPlace":
        most = portal().uploads.uploads.limits.file_bytes
        too_large = _("Choose a file of at most {most} MB.").format(most=most // MEGABYTE)
        return cls(key, most, kinds.format(most=most // MEGABYTE), too_large, form_action, uuid4().hex)
