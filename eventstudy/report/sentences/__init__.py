"""What the report says of the answer, in sentences."""
