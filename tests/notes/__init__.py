"""A resource of the tests: what the framework promises is tested on notes, so that `items` can be deleted."""
