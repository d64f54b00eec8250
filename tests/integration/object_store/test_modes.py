"""Objects are nobody's to read but their owner's."""

import os
import stat
from pathlib import Path

from tests.integration.object_store.away import Store


async def test_objects_are_their_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask; a store that an earlier version made is closed to all but its group."""
    before = os.umask(0o022)
    try:
        store = Store(tmp_path / "objects")
        store.root.mkdir(mode=0o775)
        store.root.chmod(0o775)
        await store.put("tenants/a/datasets/b/data.csv", b"a,b")
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(store.root)): stat.S_IMODE(path.stat().st_mode)
        for path in [store.root, *store.root.rglob("*")]
    }
    assert modes.pop(".") == 0o770
    assert modes.pop("tenants/a/datasets/b/data.csv") == 0o600
    assert set(modes.values()) == {0o700}
