"""The statements of the group commit."""

_COLUMNS = """source_id, key_hash, body_hash, request_id, external_id, content_type, kept_headers, body_bytes,
             body_key, unsigned_id, topic, key, value, headers, id, type, tenant_id, aggregate_id, correlation_id,
             time"""
_INBOX = "tenant_id, source_id, key_hash, body_hash, request_id, event_id, unsigned_id, seen_at"

# Keys go in sorted, or two batches of the same duplicates deadlock; of equal ones the first to
# arrive counts. Events go in the order of their arrival.
_ACCEPT = f"""
WITH given AS (
    SELECT * FROM unnest(%(arrays)s) WITH ORDINALITY
        AS g({_COLUMNS}, %(recounts)splace)
), claimed AS (
    INSERT INTO inbox_keys ({_INBOX})
    SELECT tenant_id, source_id, key_hash, body_hash, request_id, id, unsigned_id, time
    FROM given WHERE source_id IS NOT NULL%(for_good)s ORDER BY tenant_id, source_id, key_hash,
        place
    ON CONFLICT DO NOTHING
    RETURNING event_id
)%(recounted)s, fresh AS (
    SELECT * FROM given WHERE source_id IS NULL OR id IN (%(counted)s)
), stored AS (
    INSERT INTO requests (tenant_id, id, source_id, event_id, external_id, content_type, headers,
        size_bytes,
                          body_hash, body_key, possible_replay, received_at)
    SELECT tenant_id, request_id, source_id, id, external_id, content_type, kept_headers,
        body_bytes,
           body_hash, body_key,
           unsigned_id AND EXISTS (
               SELECT FROM inbox_keys k
               WHERE k.tenant_id = fresh.tenant_id AND k.source_id = fresh.source_id
                 AND k.body_hash = fresh.body_hash AND k.unsigned_id),
           time
    FROM fresh WHERE source_id IS NOT NULL
), appended AS (
    INSERT INTO events (topic, key, value, headers, id, type, tenant_id, aggregate_id, version,
        correlation_id, time)
    SELECT topic, key, value, headers, id, type, tenant_id, aggregate_id, 0, correlation_id, time
    FROM fresh ORDER BY place
    RETURNING seq, id, octet_length(value) + octet_length(headers) AS size_bytes
), listed AS (
    INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM appended
)
SELECT id FROM appended
"""

# A row of the first statement's keys that has counted long enough ago counts again, with another
# request. A clock that was put back must not make it wait for longer: so the distance decides,
# whichever of the two is later. The keys of the two statements are never equal, and the first goes
# first: two batches lock in one order.
_RECOUNTED = f""", recounted AS (
    INSERT INTO inbox_keys AS k ({_INBOX})
    SELECT DISTINCT ON (tenant_id, source_id, key_hash)
           tenant_id, source_id, key_hash, body_hash, request_id, id, unsigned_id, time
    FROM given WHERE recounts ORDER BY tenant_id, source_id, key_hash, place
    ON CONFLICT (tenant_id, source_id, key_hash) DO UPDATE
    SET body_hash = excluded.body_hash, request_id = excluded.request_id,
        event_id = excluded.event_id,
        seen_at = excluded.seen_at
    WHERE abs(extract(epoch FROM excluded.seen_at - k.seen_at)) >= $3::integer
    RETURNING event_id
)"""

ACCEPT = _ACCEPT % {
    "arrays": "$1::accepted_row[]",
    "recounts": "",
    "for_good": "",
    "recounted": "",
    "counted": "SELECT event_id FROM claimed",
}
"""Accept a batch; $1 are its rows. Returns the ids of the events that were not accepted before."""

ACCEPT_RECOUNTED = _ACCEPT % {
    "arrays": "$1::accepted_row[], $2::boolean[]",
    "recounts": "recounts, ",
    "for_good": " AND NOT recounts",
    "recounted": _RECOUNTED,
    "counted": "SELECT event_id FROM claimed UNION ALL SELECT event_id FROM recounted",
}
"""The same where some of the batch count again after a time: $2 says which rows do, $3 after how
many seconds.
"""

# A release before this one had a key for each window of the clock: such a row is the first one of
# its body too.
ADOPT = f"""
WITH found AS (
SELECT DISTINCT ON (g.tenant_id, g.source_id, g.key_hash)
       g.tenant_id, g.source_id, g.key_hash, k.body_hash, k.request_id, k.event_id, k.unsigned_id,
           k.seen_at
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[]) AS g(tenant_id, source_id, key_hash,
    former)
JOIN inbox_keys k ON (k.tenant_id, k.source_id, k.key_hash) = (g.tenant_id, g.source_id, g.former)
ORDER BY g.tenant_id, g.source_id, g.key_hash, k.seen_at DESC
), adopted AS (
INSERT INTO inbox_keys ({_INBOX}) SELECT * FROM found ON CONFLICT DO NOTHING
)
SELECT count(*) AS found FROM found
"""
"""Copy what the release before counted under the new keys.

Returns how many rows of it are there, copied or not.
"""

# A repetition leaves a line too: every delivery can be listed.
FIRST_OF = """
WITH first AS (
    SELECT k.tenant_id, k.source_id, k.key_hash, k.request_id, k.event_id, k.body_hash,
           g.id AS repeat_id, g.body_hash = k.body_hash AS same_body, g.time
    FROM inbox_keys k
    JOIN unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::timestamptz[])
         AS g(tenant_id, source_id, key_hash, id, body_hash, time) USING (tenant_id, source_id,
             key_hash)
), noted AS (
    INSERT INTO request_repeats (tenant_id, request_id, id, same_body, received_at)
    SELECT tenant_id, request_id, repeat_id, same_body, time FROM first ON CONFLICT DO NOTHING
)
SELECT tenant_id, source_id, key_hash, request_id, event_id, body_hash FROM first
"""
