"""What we tell the training platform, each thing once."""
