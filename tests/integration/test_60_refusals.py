#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exit statuses: 0 done, 1 failed now, 2 wrong usage, 78 what a restart cannot mend; and what is no reason to exit."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, wait_for
from daemon import run_command
from world import LOGIN, PASSWORD, TOPIC, World

CONFIG = 78
USAGE = 2


def config(world, name, **changed):
    daemon = world.daemon(name)
    daemon.write(changed)
    return daemon.config


def usage(checks, world):
    good = config(world, "usage")
    for args, status in (
        (["version"], 0),
        (["--version"], 0),
        (["help"], 0),
        (["--help"], 0),
        (["help", "run"], 0),
        (["nonsense"], USAGE),
        ([], USAGE),
        (["run", "--nonsense"], USAGE),
        (["check", "extra"], USAGE),
        (["run", "-o"], USAGE),
        (["titles", "--as-of", "yesterday", "-c", good], USAGE),
    ):
        done = run_command(*args)
        checks.ok(
            done.returncode == status and (done.stdout or done.stderr),
            f"tokentally {' '.join(args[:3])}: {status}",
            f"status {done.returncode}, said {(done.stdout + done.stderr)[:300]!r}",
        )


def bad_configurations(checks, world):
    cases = [
        ("unknown key", {"ingest.flush_intervall": "1s"}, "flush_interval"),
        ("unknown section", {"ingst.workers": "1"}, "ingest"),
        ("bad duration", {"ingest.flush_interval": "5 parsecs"}, "flush_interval"),
        ("enable.auto.commit", {"kafka.enable.auto.commit": "true"}, "enable.auto.commit"),
        ("isolation.level", {"kafka.isolation.level": "read_uncommitted"}, "isolation.level"),
        ("auto.offset.reset", {"kafka.auto.offset.reset": "earliest"}, "auto.offset.reset"),
        ("librdkafka's own refusal", {"kafka.no.such.setting": "1"}, "no.such.setting"),
        ("topic pattern", {"kafka.topics": "^calls.*"}, "topics"),
        ("no topic", {"kafka.topics": ""}, "topics"),
        ("day retention below max_age", {"retention.day": "20d"}, "retention"),
        ("no privacy key", {"privacy.key": ""}, "privacy.key"),
        ("key file that is not there", {"privacy.key": "@/nonexistent/key"}, "privacy.key"),
    ]
    for number, (name, changed, said) in enumerate(cases):
        path = config(world, f"bad{number}", **changed)
        for command in ("check", "run"):
            done = run_command(command, config=path, timeout=60)
            text = done.stdout + done.stderr
            checks.ok(
                done.returncode == CONFIG and said in text,
                f"{command}, {name}: 78 and says {said}",
                f"status {done.returncode}, said {text[:400]!r}",
            )
    done = run_command("check", config=f"{world.directory}/nowhere.conf")
    checks.equal(done.returncode, CONFIG, "check of a file that is not there")


def good_configuration(checks, world):
    good = config(world, "good")
    done = run_command("check", config=good)
    checks.ok(
        done.returncode == 0 and "configuration OK" in done.stdout, "check: configuration OK", done.stdout + done.stderr
    )
    done = run_command("check", "--connect", config=good)
    checks.equal(
        done.returncode, 0, f"check --connect on a good system: {(done.stdout + done.stderr).strip()[-200:]!r}"
    )
    done = run_command("run", "-o", "privacy.key=visible-in-ps", config=good)
    checks.ok(
        done.returncode in (USAGE, CONFIG) and "visible-in-ps" not in done.stdout + done.stderr,
        "a secret on the command line is refused and not repeated",
        f"{done.returncode} {done.stderr[:300]}",
    )
    with open(good, "a") as out:
        out.write("[kafka]\ntopics = again\n")
    done = run_command("check", config=good)
    checks.ok(
        done.returncode == CONFIG and "topics" in done.stderr + done.stdout,
        "a key given twice",
        f"{done.returncode} {done.stderr[:300]}",
    )


def run_exits(checks, world, name, expected, says, **changed):
    daemon = world.daemon(name, **changed)
    daemon.start(ready=False)
    status = daemon.wait(60)
    text = daemon.log()
    checks.ok(
        status == expected and says in text,
        f"run, {name.replace('_', ' ')}: {expected} and says {says!r}",
        f"status {status}, said {daemon.last_lines(3)}",
    )
    checks.ok(
        PASSWORD not in text and "wrong one" not in text, f"run, {name.replace('_', ' ')}: no password in the log"
    )


def refused_by_database(checks, world):
    database = world.database
    database.query("CREATE DATABASE bare")
    database.query(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
    run_exits(
        checks, world, "wrong_password", CONFIG, "password", **{"postgres.conninfo": database.login(LOGIN, "wrong one")}
    )
    run_exits(checks, world, "no_such_role", CONFIG, "", **{"postgres.conninfo": database.login("nobody", "wrong one")})
    run_exits(
        checks,
        world,
        "no_such_database",
        CONFIG,
        "nowhere",
        **{"postgres.conninfo": database.login(LOGIN, PASSWORD, "nowhere")},
    )
    run_exits(
        checks, world, "no_schema", CONFIG, "migrate", **{"postgres.conninfo": database.login(LOGIN, PASSWORD, "bare")}
    )
    run_exits(checks, world, "no_permission", CONFIG, "", **{"postgres.conninfo": database.login("stranger", PASSWORD)})


def migrations(checks, world):
    bare = world.database.superuser("bare")
    path = config(world, "migrate", **{"postgres.conninfo": bare})
    objects = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tokentally'"
    done = run_command("migrate", "--dry-run", config=path)
    checks.ok(
        done.returncode == 0 and world.database.value(objects, dbname="bare") == 0,
        "migrate --dry-run changes nothing",
        done.stderr,
    )
    for times in ("once", "again"):
        done = run_command("migrate", config=path)
        checks.equal(done.returncode, 0, f"migrate {times}: {done.stderr.strip()[-200:]}")
    world.database.query(
        "INSERT INTO tokentally.schema_migration (version, name) VALUES (999, 'from the future')", dbname="bare"
    )
    done = run_command("migrate", config=path)
    checks.equal(done.returncode, CONFIG, "migrate refuses a newer schema")
    run_exits(
        checks,
        world,
        "newer_schema",
        CONFIG,
        "",
        **{"postgres.conninfo": world.database.login(LOGIN, PASSWORD, "bare")},
    )


def other_group_and_key(checks, world):
    daemon = world.daemon("first").start()
    wait_for(lambda: world.database.query("SELECT 1 FROM tokentally.ingest_progress"), 60, "the first claim")
    run_exits(checks, world, "another_group", CONFIG, "group", **{"kafka.group.id": "another"})
    run_exits(checks, world, "another_privacy_key", CONFIG, "privacy.key", **{"privacy.key": "some other key"})
    checks.ok(daemon.alive() and daemon.is_ready(), "the first daemon is unmoved by them")
    done = run_command("migrate", config=world.admin_config)
    checks.equal(done.returncode, 0, "migrate while a daemon runs")
    checks.equal(daemon.end(), 0, "and it ends with 0")


def main():
    with Checks("refusals") as checks, World(checks) as world:
        world.broker.create_topic(TOPIC, 2)
        for part in (
            usage,
            good_configuration,
            bad_configurations,
            refused_by_database,
            migrations,
            other_group_and_key,
        ):
            part(checks, world)


main()
