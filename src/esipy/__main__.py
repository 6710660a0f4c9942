"""``python -m esipy`` is the ``esipy`` command."""

from esipy.cli import main

main()
