"""The vendors as services see them: one small Protocol per family of calls.

Every method may raise ExternalUnavailable (nothing was written), ExternalRejected (the vendor refused) and, where it
writes, OutcomeUnknown (the answer was lost: look the reference up before calling again).
"""
