"""Who an operator is, and how one comes in: passwords, links, single sign-on, sessions."""
