"""PostgreSQL: engine, tables, embedded server, questions we ask."""
