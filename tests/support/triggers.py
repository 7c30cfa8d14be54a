"""Statements that fail or take long, by a trigger: what becomes of a transaction that has done a part of its work."""
import contextlib


@contextlib.contextmanager
def failing(site, statement, condition):
    """As long as it lasts, the statement ("UPDATE ON users") is an error for a row that meets the condition."""
    if site.engine == "mysql":
        create = _mysql(statement, condition, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'broken by a test'")
    else:
        create = f"CREATE TRIGGER broken BEFORE {statement} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'broken by a test'); END"
    site.sql(create)
    try:
        yield
    finally:
        site.sql("DROP TRIGGER broken")


def make_slow(site, statement, condition):
    """On MySQL: the statement takes a minute, until make_fast()."""
    site.sql(_mysql(statement, condition, "DO SLEEP(60)"))


def make_fast(site):
    site.sql("DROP TRIGGER broken")


def is_in_slow_statement(site):
    return site.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'") != [["0"]]


def _mysql(statement, condition, action):
    return f"DELIMITER //\nCREATE TRIGGER broken BEFORE {statement} FOR EACH ROW IF {condition} THEN {action}; END IF//\n"
