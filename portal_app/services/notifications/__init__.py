"""E-mails to be sent, notices in the portal, and preferences."""
