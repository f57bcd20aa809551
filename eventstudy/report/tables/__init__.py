"""What the tables of the report show."""
