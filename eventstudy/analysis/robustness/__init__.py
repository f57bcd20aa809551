"""The answer under other settings, and the rates of false alarms of tests."""
