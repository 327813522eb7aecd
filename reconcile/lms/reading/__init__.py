"""What the training platform tells us."""
