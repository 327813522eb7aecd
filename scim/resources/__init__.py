"""Users and groups: documents to rows."""
