"""The processes behind the pages: worker, listener, timetable."""
