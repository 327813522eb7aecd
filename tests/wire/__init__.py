"""What identity providers put on the wire, as scenarios in JSON, and the replay of one.

A scenario has ``id``, ``requires`` (capabilities it needs), ``vars`` and ``steps``; ``fresh_tenant`` ones
look at the oldest resource and go first. A step has ``method``, ``path`` (percent-encoded, sent as it is),
``headers`` (null: send none), ``body`` or ``raw_body``, ``capture``, ``expect``; its ``level`` is ``must``
unless it says ``should``. ``{name}`` stands for a variable, a captured value or something made up.
"""
