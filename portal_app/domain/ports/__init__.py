"""What services need from the outside world, said in our own words.

Every method may raise ExternalUnavailable (nothing was written), ExternalRejected (the vendor refused) and, where it
writes, OutcomeUnknown (the answer was lost: look the reference up before calling again).
"""
