"""Lambda: functions, their versions and aliases, layers, and how they are invoked."""
