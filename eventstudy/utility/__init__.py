"""What every other part stands on: registries, types, text of tables, progress, executors."""
