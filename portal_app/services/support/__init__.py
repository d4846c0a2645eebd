"""A customer's cases at Salesforce."""
