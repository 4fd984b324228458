"""The pages of resources in the administration."""
