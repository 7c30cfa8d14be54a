-- Whom an account belongs to, and to which groups.

-- unique_name: of one account alone, in lower case (domain/username.h); NULL where nobody has chosen one. display_name: free; NULL in
-- rows of versions that did not know it, whose `username` was free: `otpgate migrate` makes one of the two of it. From then on
-- `username` is what versions before this one show, and read by them alone. group_names: of group_members, by comma, in their order,
-- so that no login asks for them.
ALTER TABLE users
    ADD COLUMN unique_name  VARCHAR(64)   NULL,
    ADD COLUMN display_name VARCHAR(150)  NULL,
    ADD COLUMN group_names  VARCHAR(1000) NOT NULL DEFAULT '',
    ADD UNIQUE KEY users_unique_name (unique_name);

-- Every user name that was ever somebody's, and stays his: without that, whoever takes the name of a deleted account is taken for it.
CREATE TABLE IF NOT EXISTS usernames (
    name        VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id     BINARY(16)  NOT NULL,
    taken_at_us BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS user_groups (
    name          VARCHAR(64) NOT NULL PRIMARY KEY,
    created_at_us BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS group_members (
    group_name  VARCHAR(64) NOT NULL,
    user_id     BINARY(16)  NOT NULL,
    added_at_us BIGINT      NOT NULL,
    PRIMARY KEY (group_name, user_id),
    KEY group_members_user (user_id, group_name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
