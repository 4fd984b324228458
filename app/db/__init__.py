"""The database: connections, transactions, paging."""
