"""The ceiling of `benchmarks.replicas`: bare SKIP LOCKED with psycopg alone, a claim with a lease and an update.

`python -m benchmarks.bare_outbox ADDRESS BATCH` works until nothing is left and prints the count and the end time.
"""

from __future__ import annotations

import sys
import time

import psycopg

TABLE = """
CREATE TABLE bare_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    due timestamptz NOT NULL,
    done boolean NOT NULL DEFAULT false,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    payload bytea
);
CREATE INDEX ON bare_outbox (due, id) WHERE NOT done;
"""
FILL = """
INSERT INTO bare_outbox (key, due, payload)
SELECT 'bare:' || n, now() - interval '1 minute', decode(repeat('ab', 120), 'hex') FROM generate_series(1, %s) AS n
"""
CLAIM = """
UPDATE bare_outbox SET lease_until = now() + interval '90 seconds' WHERE id IN (
    SELECT id FROM bare_outbox WHERE NOT done AND due <= now() AND lease_until <= now()
    ORDER BY due, id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id, payload
"""
DONE = "UPDATE bare_outbox SET done = true WHERE id = ANY(%s)"


def work(address: str, batch: int) -> int:
    """Claim and complete until nothing is left; returns the count."""
    count = 0
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(CLAIM, (0,), prepare=True)
        print("ready", flush=True)
        sys.stdin.readline()
        while rows := connection.execute(CLAIM, (batch,), prepare=True).fetchall():
            connection.execute(DONE, ([row[0] for row in rows],), prepare=True)
            count += len(rows)
    return count


if __name__ == "__main__":
    count = work(sys.argv[1], int(sys.argv[2]))
    print(count, time.monotonic(), flush=True)
