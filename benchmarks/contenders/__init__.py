"""The alternatives, as they are usually written, with the paths, data and tokens of the service."""
