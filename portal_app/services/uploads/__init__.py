"""Files of customers: received in pieces, checked, and stored until Salesforce has them."""
