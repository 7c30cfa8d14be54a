"""The database as the benchmark sees it: counts rows, writes many, and reads what the server counts of its own work."""
import sqlite3

from support.mariadb import USER


class MysqlTables:
    def __init__(self, address, database):
        """`address`: of the server's administrator, so that nothing done here counts among what otpgate asks."""
        self._address = address
        self._database = database
        self._asked = 0  # by ourselves

    def sql(self, statement):
        self._asked += 1
        return self._address.sql(statement, self._database)

    def scalar(self, query):
        return int(self.sql(query)[0][0])

    def insert(self, table, columns, rows):
        def literal(value):
            if isinstance(value, bytes):
                return f"x'{value.hex()}'"
            return str(value) if isinstance(value, int) else f"'{value}'"

        for first in range(0, len(rows), 2000):
            values = ",".join("(" + ",".join(map(literal, row)) + ")" for row in rows[first:first + 2000])
            self.sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}")

    def books(self):
        """{counter: since the server's start}. Rows are those of lasting tables; `run` are statements too, those inside of
        procedures among them. Needs a server with userstat=1."""
        rows = self.sql(
            "SELECT s.table_name, s.rows_changed FROM information_schema.table_statistics s"
            " JOIN information_schema.tables t ON t.table_schema = s.table_schema AND t.table_name = s.table_name"
            f" WHERE s.table_schema = '{self._database}'")
        books = {f"rows {table}": int(changed) for table, changed in rows}
        # Of two builds that share the server, one rests.
        ran = self.sql(
            "SELECT select_commands + update_commands + other_commands, commit_transactions"
            f" FROM information_schema.user_statistics WHERE user = '{USER}'")
        if ran:
            books["run"], books["commits"] = map(int, ran[0])
        books["sent"] = int(self.sql("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1]) - self._asked
        return books


class SqliteTables:
    def __init__(self, path):
        self._path = path

    def connect(self):
        return sqlite3.connect(self._path, timeout=30)

    def scalar(self, query):
        connection = self.connect()
        try:
            return connection.execute(query).fetchone()[0]
        finally:
            connection.close()

    def insert(self, table, columns, rows):
        marks = ", ".join("?" * len(columns))
        connection = self.connect()
        try:
            with connection:
                connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        finally:
            connection.close()

    def books(self):
        """SQLite keeps none."""
        return {}
