"""Everything outside: clock, broker, database, browser. Adapters do not know each other."""
