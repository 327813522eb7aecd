"""The operator's pages at ``/``. Reads with its own queries; acts through ``scim`` and ``reconcile``."""
