"""The settings of ``gunicorn.conf.py`` without its scheduler: what the limit program runs under."""

import runpy

settings = runpy.run_path("gunicorn.conf.py")
globals().update(
    {
        name: value
        for name, value in settings.items()
        if isinstance(value, (bool, int, str)) and not name.startswith("_")
    }
)
