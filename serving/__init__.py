"""Between gunicorn and the application: how requests arrive, and the pages for machines."""
