# SPDX-License-Identifier: Apache-2.0
"""Counting a topic once more from its start: what the database knows of positions, ids and sums is gone, people and rules stay."""

ROLLUPS = (
    "usage_minute usage_team_hour usage_hour usage_day session_slot latency_minute latency_hour dead_letter_row"
    " dedupe_block kafka_offset app_person usage_shadow_hour"
).split()


def replay(checks, world, daemons):
    """Until all is counted again, by the same daemons."""
    for daemon in daemons:
        checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")
    world.database.query("TRUNCATE " + ", ".join(f"tokentally.{name}" for name in ROLLUPS))
    for daemon in daemons:
        daemon.start()
    world.wait_counted(timeout=180)
