"""Salesforce: catalogue, accounts, orders, events."""
