"""The training platform: the one in our own database, or one over HTTP."""
