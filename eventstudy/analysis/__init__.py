"""What one asks of a finished study."""
