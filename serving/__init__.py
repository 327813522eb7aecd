"""The server: how requests come in and answers go out, the process, and the pages for machines."""
