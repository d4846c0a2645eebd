"""State of the pages of signing up and of moving an account over from WHMCS."""
