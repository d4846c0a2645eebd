"""The metadata of all tables: imports every module of this folder, so that all tables are registered."""

from importlib import import_module
from pkgutil import iter_modules

from sqlmodel import SQLModel

import portal_app.models

for _module in iter_modules(portal_app.models.__path__, "portal_app.models."):
    import_module(_module.name)

METADATA = SQLModel.metadata
