"""Lists: what was asked, one page of it, where the next begins; and the codes of the catalog."""
