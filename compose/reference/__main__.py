"""Write the generated sections of the README and of docs/events.md again: `python -m
compose.reference`.
"""

from pathlib import Path

from compose.reference.pages import SECTIONS, spliced

for page, (name, text) in SECTIONS.items():
    Path(page).write_text(
        spliced(Path(page).read_text(encoding="utf-8"), name, text()), encoding="utf-8"
    )
    print(f"{page}: {name}")
