"""What the worker runs: one module a kind of job."""
