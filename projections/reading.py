"""What every read of a projection says of itself: how far it is."""

import base64
import json
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

STANDS = text("""
    SELECT topic, partition, next FROM positions
    WHERE consumer = :consumer AND generation = (SELECT live FROM projection_heads
        WHERE view = :view)
    ORDER BY topic, partition
""")


def consumer_of(view: str) -> str:
    """The name under which a view keeps its positions."""
    return f"projection.{view}"


async def position(tx: "AsyncConnection", view: str) -> str:
    """The position of the live generation of a view, opaque."""
    rows = (await tx.execute(STANDS, {"consumer": consumer_of(view), "view": view})).all()
    vector = [[row.topic, row.partition, row.next] for row in rows]
    return (
        "p-"
        + base64.urlsafe_b64encode(json.dumps(vector, separators=(",", ":")).encode())
        .rstrip(b"=")
        .decode()
    )
