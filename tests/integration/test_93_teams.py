#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Teams of people from a CSV file, for events that name none: by the events' own time, late ones too; a file with a
fault is refused whole; an import rewrites nothing that was counted; a replay follows the roster of now."""

import csv
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company, civil
from compare import check_progress, check_views
from daemon import BINARY
from oracle import DAY, Oracle, Rules
from replay import replay
from truth import Load
from world import TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 30000))


def some_moves(rng, company, start_us, end_us):
    """(user, team, from_us) of two thirds of those without a team: one to three each, on whole seconds."""
    moves = []
    for person in company.people:
        if person.team or rng.random() < 0.34:
            continue
        times = {rng.randrange(start_us - DAY, end_us) // 10**6 * 10**6 for _ in range(rng.randint(1, 3))}
        moves += [(person.name, rng.choice(["red", "blue, dark", 'the "best"', "", "søk"]), at) for at in times]
    rng.shuffle(moves)
    return moves


def kept(moves):
    """Those that change a team: a line that says what holds already is nothing new, and no border for what is told later."""
    before, changes = {}, []
    for user, team, at in sorted(moves, key=lambda move: move[2]):
        if before.get(user, "") != team:
            changes.append((user, team, at))
        before[user] = team
    return changes


def write_csv(path, moves):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["team", "user", "from"])
        for user, team, at in moves:
            writer.writerow([team, user, time_text(at)])


def time_text(at_us):
    seconds = at_us // 10**6 + 5400  # 01:30 east
    days, second = divmod(seconds, 86400)
    day = "%04d-%02d-%02d" % civil(days)
    return f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+01:30"


def check_refusals(checks, world):
    path = f"{world.directory}/bad.csv"
    with open(path, "w") as out:
        out.write("user,team\nann,red\n,red\nbob,red,extra\nann,blue\n")
    done = world.tokentally("people", "import", path)
    checks.equal(
        (done.returncode, done.stderr.splitlines()),
        (
            1,
            [
                f"{path}:3: user is empty",
                f"{path}:4: 3 fields, the first line has 2",
                "tokentally: nothing was imported",
            ],
        ),
        "each bad line is named with its number",
    )
    with open(path, "w") as out:
        out.write("user,team\nann,red\nbob,red\nann,blue\n")
    done = world.tokentally("people", "import", path)
    checks.equal(
        (done.returncode, [line[: len(path) + 3] for line in done.stderr.splitlines()[:2]]),
        (1, [f"{path}:2:", f"{path}:4:"]),
        "so are two lines that contradict each other",
    )
    checks.equal(world.tokentally("people", "import", "/nonexistent").returncode, 1, "a file that is not there: 1")
    done = subprocess.run(
        [BINARY, "people", "import", "-", "--dry-run", "--from", "2026-11-01", "-c", world.admin_config],
        input=b'team,user\r\n"red, dark",ann\r\n',
        capture_output=True,
        timeout=60,
    )
    checks.equal(
        done.stdout.decode().splitlines()[:1],
        ["line 2: ann: '' -> 'red, dark' from 2026-11-01T00:00:00Z, new"],
        "from standard input, with the time of --from",
    )
    login = world.settings()["postgres.conninfo"]
    done = world.tokentally("people", "import", path, "-o", f"postgres.conninfo=@{secret(world, login)}")
    checks.equal(done.returncode, 78, "the daemon's login may not import")
    checks.equal(world.database.value("SELECT count(*) FROM tokentally.person_team"), 0, "nothing came of all these")


def secret(world, text):
    path = f"{world.directory}/conninfo"
    with open(path, "w") as out:
        out.write(text)
    return path


def import_moves(checks, world, moves):
    path = f"{world.directory}/people.csv"
    write_csv(path, moves)
    planned = world.tokentally("people", "import", path, "--dry-run")
    checks.equal(world.database.value("SELECT count(*) FROM tokentally.person_team"), 0, "a dry run changes nothing")
    done = world.tokentally("people", "import", path)
    checks.equal(done.returncode, 0, f"people import: {done.stdout.strip()} {done.stderr.strip()}")
    checks.ok(
        planned.stdout.splitlines()[-1].split(":")[1] == done.stdout.split(":")[1].rstrip("\n")
        and len(planned.stdout.splitlines()) > 20,
        "the dry run had said so, line by line",
        planned.stdout.splitlines()[-3:],
    )
    before = generation(world)
    again = world.tokentally("people", "import", path)
    checks.ok(f"{len(moves)} as before" in again.stdout, "the same file again changes nothing", again.stdout)
    checks.equal(generation(world), before, "... and makes no daemon read anything again")


def known(world, table, user):
    return world.database.value(f"SELECT count(*) FROM tokentally.{table} WHERE user_key = %s", [user])


def generation(world):
    return world.database.value("SELECT value FROM tokentally.setting WHERE key = 'rules_generation'")


def metric(daemon, name):
    lines = daemon.http("/metrics")[1].splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def check_bound(checks, world):
    """A hundred thousand people fit into the least memory a worker may have; what does not fit is told, and waited for."""
    path = f"{world.directory}/many.csv"
    with open(path, "w") as out:
        out.write("user,team\n" + "".join(f"somebody-{n}@example.org,team {n % 500}\n" for n in range(100000)))
    checks.equal(world.tokentally("people", "import", path).returncode, 0, "100,000 people are imported")
    daemon = world.daemon("small", **{"ingest.memory_max": "64M"})
    daemon.start()
    wait_for(lambda: "claimed 4 partitions" in daemon.log(), 30, "a worker of 64M to read them and start")
    with open(path, "w") as out:
        out.write("user,team,from\n" + "".join(f"somebody-{n}@example.org,moved,2030-01-01\n" for n in range(100000)))
    checks.equal(world.tokentally("people", "import", path).returncode, 0, "as many moves")
    message = "raise ingest.memory_max"
    writer = world.writer()
    writer.send(TOPIC, 0, b'{"time":%d,"user":"a","model":"m"}' % now_ms(), now_ms())
    writer.flush()
    wait_for(lambda: message in daemon.log(), 30, "the daemon to say that they are too many")
    wait_for(lambda: daemon.http("/readyz")[0] == 503, 30, "it to be not ready")
    met = metric(daemon, 'tokentally_limit_reached_total{limit="rules"}')
    checks.ok(met > 0, f"the metric tells that the bound was met ({met})")
    checks.ok(daemon.alive(), "it does not exit: nothing is lost while Kafka keeps the events")
    world.database.query(
        "DELETE FROM tokentally.person_team_row WHERE team = 'moved'; SELECT tokentally.new_rules_generation()"
    )
    daemon.wait_ready()
    world.wait_counted(timeout=60)
    checks.equal(daemon.end(), 0, "and goes on when they are fewer")


def main():
    with Checks("teams of people") as checks, World(checks) as world:
        seed = seed_from_environment()
        rng = random.Random(seed)
        started_ms = now_ms()
        start_us, end_us = started_ms * 1000 - 3 * DAY, started_ms * 1000
        company = Company(seed, 300, start_us, end_us)
        for person in company.people:
            if rng.random() < 0.6:
                person.team = ""
        moves = some_moves(rng, company, start_us, end_us)
        world.broker.create_topic(TOPIC, 4)
        check_refusals(checks, world)
        import_moves(checks, world, moves)

        daemons = [world.daemon(name).start() and world.daemons[name] for name in ("one", "two")]
        writer = world.writer()
        for message in Load(company, seed, TOPIC, 4, EVENTS, started_ms).messages():
            writer.send(*message)
        writer.flush()
        world.wait_counted(timeout=180)
        oracle = Oracle(end_us, rules=Rules(moves)).read(world.truth_path)
        teams = {key[2] for key in oracle.hour}
        checks.ok({"red", "blue, dark", 'the "best"', "søk", ""} <= teams, "teams of the file were counted", str(teams))
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])
        looked = sum(metric(daemon, "tokentally_records_roster_total") for daemon in daemons)
        checks.ok(looked > EVENTS / 10, f"the metric tells how many came from the roster ({looked})")

        # A move that is told late: for what comes from now on.
        someone = next(user for user, team, _ in moves if team)
        told = world.database.query(
            "SELECT change FROM tokentally.set_team(%s, 'told late', to_timestamp(%s))", [someone, start_us // 10**6]
        )
        checks.ok(told and told[0][0] in ("new", "move", "correction"), "a move that is told late is taken", str(told))
        check_views(checks, world.database, oracle, "told late: ")
        replay(checks, world, daemons)
        later = [*kept(moves), (someone, "told late", start_us // 10**6 * 10**6)]
        oracle = Oracle(end_us, rules=Rules(later)).read(world.truth_path)
        check_views(checks, world.database, oracle, "replayed: ")

        done = world.tokentally("erase", "--user", someone)
        checks.equal(done.returncode, 0, f"erase: {done.stderr.strip()}")
        checks.equal(known(world, "person_team", someone), 0, "erased: no team is left")
        again = world.tokentally("people", "import", f"{world.directory}/people.csv")
        listed = sum(user == someone for user, _, _ in moves)
        checks.ok(
            f"0 new, 0 moved, 0 left, 0 corrected, {listed} erased" in again.stdout,
            "the file does not bring anybody back",
            again.stdout,
        )
        checks.equal(known(world, "person", someone), 0, "... in no table")
        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")
        check_bound(checks, world)


main()
