"""What all pages share: registration of routes, frame, step-up dialog, address form."""
