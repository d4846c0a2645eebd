"""The settings of files that customers send and fetch."""

from pydantic import BaseModel, Field, field_validator

from portal_app.infra.production import valid_rate


class FileSettings(BaseModel):
    """Limits of files, and the virus scanner."""

    portal_upload_megabytes: int = Field(
        25, ge=1, le=2000, description="Largest file of a customer; SF_FILE_MEGABYTES bounds it too"
    )
    portal_message_files: int = Field(10, ge=1, le=100, description="Files of one support message")
    portal_message_megabytes: int = Field(50, ge=1, le=2000, description="Size of all files of one support message")
    portal_upload_day_megabytes: int = Field(200, ge=1, description="Size of the files a customer sends in 24 hours")
    portal_upload_limit: str = Field("120/hour", description="Files begun per customer")
    portal_open_uploads: int = Field(3, ge=1, le=20, description="Files of one customer that arrive at the same time")
    portal_upload_hours: int = Field(24, ge=1, le=168, description="How long a file waits to be finished and sent")
    portal_download_limit: str = Field("120/hour", description="Files of support cases fetched per customer")
    portal_clamd: str = Field(
        "", description="Virus scanner (clamd) as host:port or as the path of its socket; empty: files are not scanned"
    )
    portal_clamd_timeout: float = Field(60.0, gt=0, description="Longest wait for clamd's answer about a file")
    sf_malware_status: bool = Field(
        False, description="Read MalwareScanStatus of agents' files (API version 66.0 or later) and honour it"
    )

    @field_validator("portal_upload_limit", "portal_download_limit")
    @classmethod
    def _file_limits_make_sense(cls, text: str) -> str:
        return valid_rate(text)
