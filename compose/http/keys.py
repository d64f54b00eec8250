"""Looking up API keys: those that were good before on some connections, the rest on others."""

from collections import OrderedDict

from sqlalchemy.ext.asyncio import AsyncEngine

from producers.access import store
from producers.access.principal import Principal

MOST_KNOWN = 10_000


class Keys:
    """Finds whom a key speaks for, each time in the database, so that a revoked key ends at once.

    A stranger can show any number of keys that nobody has; they wait for one another and not before
    tenants. Nothing else is done on these connections: no reads stand before a key.
    """

    def __init__(self, for_known: AsyncEngine, for_strangers: AsyncEngine) -> None:
        self._for_known = for_known
        self._for_strangers = for_strangers
        self._good: OrderedDict[bytes, None] = OrderedDict()

    async def find(self, key_hash: bytes) -> Principal | None:
        """Return the principal; None when the key is unknown or revoked."""
        engine = self._for_known if key_hash in self._good else self._for_strangers
        async with engine.begin() as tx:
            principal = await store.find_key(tx, key_hash)
        if principal is None:
            self._good.pop(key_hash, None)
            return None
        self._good[key_hash] = None
        self._good.move_to_end(key_hash)
        if len(self._good) > MOST_KNOWN:
            self._good.popitem(last=False)
        return principal
