"""Golden files: what is asked of the examples of every version ever published, of any set of
events.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.event import Event
from schemas.event_decode import decode
from schemas.payload import Payload
from schemas.upcasters import Formers

NAME = re.compile(r"(?P<type>[a-z_]+\.[a-z_]+)\.v(?P<version>\d+)(-[a-z_]+)?\.json")
LIST = "published.sha256"


@dataclass(frozen=True)
class Golden:
    """A folder of examples, and the events that they are of.

    `job.queued.v1.json` is the first example of a version; a later one,
    `job.queued.v1-priority.json`, shows what was added to that version since: a field with a
    default. Any other change is a new version.
    """

    folder: Path
    payloads: dict[str, type[Payload]]
    formers: Formers

    @property
    def versions(self) -> set[tuple[str, int]]:
        """Every version that the code reads."""
        return {(kind, one.VERSION) for kind, one in self.payloads.items()} | set(self.formers)

    def files(self) -> Iterator[tuple[str, int, Path]]:
        """Type, version and place of each example."""
        for path in sorted(self.folder.rglob("*.json")):
            named = NAME.fullmatch(path.name)
            assert named is not None, f"{path.name} is not named like an example"
            yield named["type"], int(named["version"]), path

    def gaps(self) -> list[str]:
        """Versions without an example, examples without a version, and chains that end before
        the current version.
        """
        there = {(kind, version) for kind, version, _ in self.files()}
        found = [
            f"{kind} v{version} has no example" for kind, version in sorted(self.versions - there)
        ]
        found += [
            f"{kind} v{version} has an example and no model"
            for kind, version in sorted(there - self.versions)
        ]
        for kind, current in self.payloads.items():
            before = {version for name, version in self.formers if name == kind}
            if before != set(range(1, current.VERSION)):
                found.append(f"{kind} is at v{current.VERSION}, and lifted from {sorted(before)}")
        return found

    def changes(self) -> list[str]:
        """Examples that are not what was published, and those that the list does not know."""
        listed = self.listed()
        there = {path.relative_to(self.folder).as_posix(): path for _, _, path in self.files()}
        found = [f"{name} was published and is gone" for name in sorted(set(listed) - set(there))]
        for name, path in there.items():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if name not in listed:
                found.append(f"not published yet; add to {LIST}:\n{digest}  {name}")
            elif digest != listed[name]:
                found.append(
                    f"{name} was published and is changed: a change of an event is a new version"
                )
        return found

    def listed(self) -> Mapping[str, str]:
        """The digests, as `sha256sum -c` takes them."""
        lines = (self.folder / LIST).read_text().splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}

    def lifted(self, path: Path) -> Event:
        """The event in an example, in its current version; raises Undecodable."""
        return decode(path.read_bytes(), (), self.payloads, self.formers)

    def envelope(self, path: Path) -> dict[str, Any]:
        """An example as it stands."""
        found = json.loads(path.read_text())
        assert isinstance(found, dict)
        return found
