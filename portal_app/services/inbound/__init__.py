"""What vendors tell: the inbox, WHMCS's hooks, and what they change."""
