"""The composition root: one builder per capability, all joined in `portal`. Nothing else makes services."""
