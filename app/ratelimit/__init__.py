"""Rate limits, counted in Redis or Valkey or in the process."""
