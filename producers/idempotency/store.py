"""Rows of claimed keys: claim, answer, release, sweep.

The database's clock decides what is over.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.idempotency.key import Scope

# A key that has expired begins anew; one whose run never ended is taken over with its seed, so with
# the same ids.
CLAIM = text("""
    INSERT INTO idempotency_keys AS k
        (tenant_id, principal_id, route, key_hash, body_hash, seed, token, claimed_at, leased_until,
            expires_at)
    SELECT :tenant, :principal, :route, :key_hash, :body_hash, :seed, :token, now,
           now + make_interval(secs => :lease), now + make_interval(hours => :hours)
    FROM (SELECT headrace_clock() AS now) AS clock
    ON CONFLICT (tenant_id, principal_id, route, key_hash) DO UPDATE
    SET token = excluded.token, claimed_at = excluded.claimed_at,
        leased_until = excluded.leased_until,
        seed = CASE WHEN k.expires_at <= excluded.claimed_at THEN excluded.seed ELSE k.seed END,
        body_hash = CASE WHEN k.expires_at <= excluded.claimed_at THEN excluded.body_hash
                         ELSE coalesce(k.body_hash, excluded.body_hash) END,
        expires_at = CASE WHEN k.expires_at <= excluded.claimed_at THEN excluded.expires_at ELSE
            k.expires_at END,
        status = NULL, headers = NULL, body = NULL
    WHERE CASE WHEN k.status IS NOT NULL THEN k.expires_at <= excluded.claimed_at
               ELSE k.leased_until <= excluded.claimed_at
                    AND (k.expires_at <= excluded.claimed_at OR k.body_hash IS NOT DISTINCT
                        FROM excluded.body_hash)
          END
    RETURNING seed
""")
LOOK = text("""
    SELECT body_hash, status, headers, body FROM idempotency_keys
    WHERE tenant_id = :tenant AND principal_id = :principal AND route = :route
        AND key_hash = :key_hash
""")
MINE = """
    tenant_id = :tenant AND principal_id = :principal AND route = :route AND key_hash = :key_hash
    AND token = :token AND status IS NULL
"""
FINISH = text(f"""
    UPDATE idempotency_keys
    SET status = :status, headers = CAST(:headers AS jsonb), body = CAST(:body AS jsonb),
        body_hash = :body_hash
    WHERE {MINE}
""")
RENEW = text(f"""
    UPDATE idempotency_keys SET leased_until = headrace_clock() + make_interval(secs => :lease)
        WHERE {MINE}
""")
RELEASE = text(f"DELETE FROM idempotency_keys WHERE {MINE}")
EXPIRE = text("""
    DELETE FROM idempotency_keys
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_keys WHERE expires_at <= :before
                           ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED))
      AND expires_at <= :before AND (status IS NOT NULL OR leased_until <= headrace_clock())
""")
EXPIRED = text("SELECT count(*) FROM idempotency_keys WHERE expires_at <= :before")
HOURS = 24


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A claimed key: who runs under it, and until when unless renewed."""

    scope: Scope
    token: UUID
    lease_seconds: float

    def given(self, **more: Any) -> dict[str, Any]:
        """Parameters of every statement about this claim."""
        return {**_where(self.scope), "token": self.token, **more}


async def claim(
    tx: AsyncConnection, claim: IdempotencyClaim, body_hash: bytes | None, seed: UUID
) -> UUID | None:
    """Take the key.

    The seed of its ids (`seed` if it is new), None when it is answered or somebody runs under it.
    """
    given = claim.given(body_hash=body_hash, seed=seed, lease=claim.lease_seconds, hours=HOURS)
    return (await tx.execute(CLAIM, given)).scalar_one_or_none()


async def look(tx: AsyncConnection, scope: Scope) -> Row[Any] | None:
    """What is known of a key."""
    return (await tx.execute(LOOK, _where(scope))).one_or_none()


async def finish(
    tx: AsyncConnection,
    claim: IdempotencyClaim,
    body_hash: bytes,
    status: int,
    headers: Mapping[str, str],
    body: str,
) -> bool:
    """Store the answer, in the transaction of the effect; False when somebody else has taken the
    key over.
    """
    given = claim.given(
        status=status, headers=json.dumps(dict(headers)), body=body, body_hash=body_hash
    )
    return bool((await tx.execute(FINISH, given)).rowcount)


async def renew(tx: AsyncConnection, claim: IdempotencyClaim) -> None:
    """Extend the lease of a claim by its `lease_seconds`."""
    await tx.execute(RENEW, claim.given(lease=claim.lease_seconds))


async def release(tx: AsyncConnection, claim: IdempotencyClaim) -> None:
    """Give the key back: nothing happened under it."""
    await tx.execute(RELEASE, claim.given())


async def expire(tx: AsyncConnection, before: datetime, batch: int) -> int:
    """Delete up to `batch` keys that had expired by then, as the pipeline; how many went."""
    return (await tx.execute(EXPIRE, {"before": before, "batch": batch})).rowcount


async def expired(tx: AsyncConnection, before: datetime) -> int:
    """How many keys had expired by then."""
    return int((await tx.execute(EXPIRED, {"before": before})).scalar_one())


def _where(scope: Scope) -> dict[str, Any]:
    return {
        "tenant": scope.tenant,
        "principal": scope.principal,
        "route": scope.route,
        "key_hash": scope.key_hash,
    }
