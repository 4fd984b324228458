"""What only developers run: the embedded PostgreSQL, `make run`, `make check`."""
