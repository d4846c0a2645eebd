"""Builds the services for files that customers send."""

from dataclasses import dataclass

from portal_app.infra.security.malware_scan import MalwareScanner
from portal_app.services.identity.context import ServiceContext
from portal_app.services.uploads.checking import Checking
from portal_app.services.uploads.form_files import FormFiles
from portal_app.services.uploads.handing_over import HandingOver
from portal_app.services.uploads.receiving import Receiving
from portal_app.services.uploads.tidying import Tidying
from portal_app.services.uploads.uploads import Uploads
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class UploadServices:
    """The first three are for customers, the others are used by the worker."""

    uploads: Uploads
    receiving: Receiving
    form_files: FormFiles
    checking: Checking
    handing_over: HandingOver
    tidying: Tidying


def build_uploads(base: Base, context: ServiceContext) -> UploadServices:
    """Build the services over Salesforce's files and the virus scanner."""
    settings, uploads = base.settings, Uploads(context)
    scanner = MalwareScanner(settings.portal_clamd, seconds=settings.portal_clamd_timeout)
    receiving = Receiving(context, base.live, uploads.limits)
    checking = Checking(base.database, base.live, context.secrets.ring, scanner)
    return UploadServices(
        uploads=uploads,
        receiving=receiving,
        form_files=FormFiles(uploads, receiving),
        checking=checking,
        handing_over=HandingOver(settings, base.database, base.vendors.files, checking=checking),
        tidying=Tidying(base.database),
    )
