"""Every page of the portal, imported so that it registers itself."""
