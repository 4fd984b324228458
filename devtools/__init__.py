"""Tools for developers: the embedded PostgreSQL, `make run`, `make check`."""
