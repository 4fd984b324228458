"""What one would use instead, each as it is usually written: the same paths, data and tokens as the service."""
