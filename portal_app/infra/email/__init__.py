"""Mail: templates, preview and delivery by SMTP."""
