"""The service: a FastAPI application over PostgreSQL."""
