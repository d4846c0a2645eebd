"""Small apps of the same framework, built and served beside the portal to compare it with."""
