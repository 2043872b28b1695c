# SPDX-License-Identifier: Apache-2.0
"""Erasing a person in a test: whom, how, what the oracle expects then, and where one could still be found."""

import json
from collections import Counter

from oracle import ADDED


def someone(oracle):
    """Who made many calls, with sessions, and has a name that is not part of another's."""
    calls = Counter()
    for (_, user, *_), row in oracle.hour.items():
        calls[user] += row[0]
    with_sessions = {user for _, user in oracle.session}
    for user, _ in calls.most_common():
        others = sum(user in other for other in calls)
        if user in with_sessions and others == 1 and len(user) > 4 and user.isascii() and user.isprintable():
            return user
    raise AssertionError("nobody to erase")


def without(oracle, user):
    """What the oracle expects: the same rows, of "(erased)", and no sessions."""
    for rows in (oracle.hour, oracle.day):
        for key in [key for key in rows if key[1] == user]:
            row = rows.pop(key)
            sums = rows.setdefault((key[0], "(erased)", *key[2:]), [0] * len(row))
            for index in range(ADDED):
                sums[index] += row[index]
            sums[ADDED] = max(sums[ADDED], row[ADDED])
    for key in [key for key in oracle.session if key[1] == user]:
        del oracle.session[key], oracle.span[key]
    return oracle


def tables_with(database, text):
    """Tables of the schema in which a row holds the text."""
    names = database.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    return [
        name
        for (name,) in names
        if database.value(f"SELECT EXISTS (SELECT FROM tokentally.{name} t WHERE strpos(t::text, %s) > 0)", [text])
    ]


def erase(checks, world, user):
    pseudonym = world.database.value("SELECT pseudonym FROM tokentally.person WHERE user_key = %s", [user])
    exported = world.tokentally("export", "--user", user)
    found = json.loads(exported.stdout) if exported.returncode == 0 else {}
    checks.ok(found.get("usage_by_hour") and found.get("sessions"), "export has what is kept", exported.stderr)
    done = world.tokentally("erase", "--user", user)
    checks.equal(done.returncode, 0, f"tokentally erase: {done.stdout.splitlines()[:1]} {done.stderr.strip()}")
    return pseudonym


def check_gone(checks, world, user, pseudonym, label):
    checks.equal(tables_with(world.database, user), [], f"{label}: no table holds the key")
    checks.equal(tables_with(world.database, pseudonym), [], f"{label}: no table holds the pseudonym")
    checks.equal(world.tokentally("export", "--user", user).returncode, 1, f"{label}: there is nothing to export")
