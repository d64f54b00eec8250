"""`python -m compose.cli`."""

from compose.cli import main

main()
