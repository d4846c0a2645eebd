"""SOQL: its grammar, and answering queries from the tables."""
