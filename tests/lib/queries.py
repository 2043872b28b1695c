# SPDX-License-Identifier: Apache-2.0
"""The queries that users are shown: ```sql blocks of a Markdown file, panels and variables of Grafana dashboards.

Grafana's macros and variables are put in as Grafana itself does it (its PostgreSQL data source: macros.go); a variable
gets the values that its own query returns.
"""

import json
import re

INTERVAL_S = 3600
MACRO = re.compile(
    r"\$__(timeFilter|timeFrom|timeTo|timeGroupAlias|timeGroup|interval_ms|interval|unixEpochFilter)"
    r"(?:\(([^()]*)\))?"
)


def markdown_queries(path):
    """[(name, sql)] of the ```sql blocks, named by the heading above."""
    found, heading, block = [], path, None
    with open(path) as text:
        for line in text:
            if line.startswith("#") and block is None:
                heading = line.lstrip("#").strip()
            if block is None and line.strip() == "```sql":
                block = []
            elif block is not None and line.strip() == "```":
                found.append((heading, "".join(block)))
                block = None
            elif block is not None:
                block.append(line)
    return found


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


class Dashboard:
    def __init__(self, path, begin, end):
        """begin, end: the time range shown, RFC 3339 in UTC."""
        with open(path) as text:
            self.json = json.load(text)
        self.begin, self.end = literal(begin), literal(end)
        self.values = {}

    def variables(self):
        """[(name, sql)] of variables with a query; others get their current value at once."""
        found = []
        for variable in self.json.get("templating", {}).get("list", []):
            current = variable.get("current", {}).get("value")
            if variable["type"] == "query":
                found.append((variable["name"], variable["query"]))
            else:
                self.values[variable["name"]] = current if isinstance(current, list) else [current]
        return found

    def take(self, name, values):
        """The values that a variable's query returned: all of them for "All", else the one that is selected."""
        variable = next(one for one in self.json["templating"]["list"] if one["name"] == name)
        current = variable.get("current", {}).get("value")
        if not variable.get("includeAll"):
            values = [current if current in values else values[0]]
        self.values[name] = values

    def panels(self):
        """[(title, sql)] of every target of every panel, rows opened."""
        found, todo = [], list(self.json["panels"])
        while todo:
            panel = todo.pop(0)
            todo = panel.get("panels", []) + todo
            for target in panel.get("targets", []):
                found.append((panel.get("title", "?"), target["rawSql"]))
        return found

    def expand(self, sql):
        sql = re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$(?!_)(\w+)", self.variable, sql)
        return MACRO.sub(self.macro, sql)

    def variable(self, found):
        name, form = found.group(1) or found.group(3), found.group(2)
        if name in ("__interval", "__interval_ms"):
            return f"{INTERVAL_S}s" if name == "__interval" else str(INTERVAL_S * 1000)
        values = self.values[name]
        if form in ("sqlstring", "singlequote"):
            return ",".join(literal(value) for value in values)
        if form == "csv" or len(values) == 1:
            return ",".join(values)
        raise ValueError(f"${name}: many values and no format for them")

    def macro(self, found):
        name, args = found.group(1), [arg.strip() for arg in (found.group(2) or "").split(",")]
        group = f"floor(extract(epoch from {args[0]})/{INTERVAL_S})*{INTERVAL_S}"
        return {
            "timeFilter": f"{args[0]} BETWEEN {self.begin} AND {self.end}",
            "timeFrom": self.begin,
            "timeTo": self.end,
            "timeGroup": group,
            "timeGroupAlias": f'{group} AS "time"',
            "interval": f"{INTERVAL_S}s",
            "interval_ms": str(INTERVAL_S * 1000),
            "unixEpochFilter": f"{args[0]} >= extract(epoch from {self.begin}::timestamptz) AND"
            f" {args[0]} <= extract(epoch from {self.end}::timestamptz)",
        }[name]
