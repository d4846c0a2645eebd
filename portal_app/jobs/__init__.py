"""The processes behind the pages: worker, listener, schedule."""
