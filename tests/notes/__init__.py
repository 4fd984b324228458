"""Notes, a resource for tests of the framework, so that `items` can be deleted."""
