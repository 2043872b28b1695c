# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own on 127.0.0.1, in a directory of its own.

Run as root it starts the server as user postgres, as PostgreSQL demands. Local sockets trust (that is how the tests
look in as superuser), TCP asks for a password (that is how the daemon logs in).
"""

import glob
import os
import pwd
import subprocess

import psycopg2

from broker import free_port
from checks import Failed, wait_for

CONF = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 60
shared_buffers = 128MB
fsync = off
max_wal_size = 2GB
timezone = 'Pacific/Apia'
log_timezone = 'UTC'
log_min_messages = warning
log_min_error_statement = error
password_encryption = scram-sha-256
jit = off
"""
# fsync off is safe for what is tested: `-m immediate` kills the server, not the kernel. The odd time zone is on
# purpose: nothing may depend on the server's.

HBA = """\
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""


class Database:
    def __init__(self, directory):
        self.directory = directory
        self.data = f"{directory}/data"
        self.port = free_port()
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), key=lambda path: int(path.split("/")[4]))
        if not found:
            raise Failed("no PostgreSQL server under /usr/lib/postgresql")
        self.bin = os.path.dirname(found[-1])
        os.makedirs(directory)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with open(f"{self.data}/postgresql.conf", "a") as out:
            out.write(CONF.format(port=self.port, directory=directory))
        with open(f"{self.data}/pg_hba.conf", "w") as out:
            out.write(HBA)

    def run(self, program, *args):
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*prefix, f"{self.bin}/{program}", *args],
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise Failed(f"{program}: {done.stdout.strip()[-500:]}")

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.directory}/log", "start")
        wait_for(lambda: self.query("SELECT 1"), 60, "PostgreSQL")
        return self

    def stop(self, mode="fast"):
        if os.path.exists(f"{self.data}/postmaster.pid"):
            self.run("pg_ctl", "-D", self.data, "-w", "-s", "-m", mode, "stop")

    def restart(self, mode):
        self.stop(mode)
        self.start()

    def superuser(self, dbname="postgres"):
        """conninfo over the socket, as superuser: for the tests and for `tokentally migrate`."""
        return f"host={self.directory} port={self.port} user=postgres dbname={dbname}"

    def login(self, user, password, dbname="postgres"):
        return f"host=127.0.0.1 port={self.port} user={user} password='{password}' dbname={dbname}"

    def connect(self, dbname="postgres", conninfo=None):
        connection = psycopg2.connect(conninfo or self.superuser(dbname))
        connection.autocommit = True
        return connection

    def query(self, sql, args=None, dbname="postgres", conninfo=None):
        connection = self.connect(dbname, conninfo)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def value(self, sql, args=None, **where):
        rows = self.query(sql, args, **where)
        return rows[0][0] if rows else None
