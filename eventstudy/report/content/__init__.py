"""What a report says: sentences, tables and the document of a run."""
