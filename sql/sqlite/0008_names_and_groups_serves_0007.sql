-- Whom an account belongs to, and to which groups.

-- unique_name: of one account alone, in lower case (domain/username.h); NULL where nobody has chosen one. display_name: free; NULL in
-- rows of versions that did not know it, whose `username` was free: `otpgate migrate` makes one of the two of it. From then on
-- `username` is what versions before this one show, and read by them alone. group_names: of group_members, by comma, in their order,
-- so that no login asks for them.
ALTER TABLE users ADD COLUMN unique_name TEXT NULL;
ALTER TABLE users ADD COLUMN display_name TEXT NULL;
ALTER TABLE users ADD COLUMN group_names TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX users_unique_name ON users (unique_name);

-- Every user name that was ever somebody's, and stays his: without that, whoever takes the name of a deleted account is taken for it.
CREATE TABLE usernames (
    name        TEXT   NOT NULL PRIMARY KEY,
    user_id     BLOB   NOT NULL,
    taken_at_us BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE user_groups (
    name          TEXT   NOT NULL PRIMARY KEY,
    created_at_us BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE group_members (
    group_name  TEXT   NOT NULL,
    user_id     BLOB   NOT NULL,
    added_at_us BIGINT NOT NULL,
    PRIMARY KEY (group_name, user_id)
) WITHOUT ROWID;
CREATE INDEX group_members_user ON group_members (user_id, group_name);
