"""A finished run in every format; nothing is computed again."""
