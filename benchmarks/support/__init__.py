"""Measurements of support: threads, answers, files, comments by the hundred, drafts."""
