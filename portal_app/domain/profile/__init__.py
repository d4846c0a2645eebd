"""Who a customer is: names, addresses, identity documents."""
