"""Resources that are derived from the slice of items."""
