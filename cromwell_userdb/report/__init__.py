"""Values to text that people read."""
