"""Pure ASGI middleware, one class a module."""
