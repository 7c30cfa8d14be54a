#include "cli/commands.h"

namespace otpgate::cli {

const std::vector<Command>& commands() {
    static const Option kJson{"--json", "", "print JSON"};
    static const std::vector<Command> list = {
        {"setup",
         "name the host, the database, the mail server, the first administrator and the web server",
         {{"",
           "",
           "Step by step: asks at a terminal, and takes what the options say. Each step says what it found; taken "
           "again, "
           "it changes what is told anew. Nothing is restarted, and no data is moved.",
           {{"--public-url", "URL", "the address of the login page, https://login.example.com"},
            {"--mysql", "URL",
             "MySQL or MariaDB: mysql://USER@HOST/NAME, or mysql for the one of this machine; makes database, user and "
             "password file"},
            {"--mysql-admin-url", "URL", "who may make them; root over the same socket unless it is said"},
            {"--mysql-admin-password-file", "FILE", "holds the password for that"},
            {"--mail-from", "SENDER", "of the mails: Example <no-reply@example.com>"},
            {"--smtp", "HOST:PORT", "the mail server, which is tried"},
            {"--smtp-security", "WORD", "none, starttls or tls"},
            {"--smtp-user", "NAME", "who logs in there"},
            {"--smtp-password-file", "FILE", "holds the password for that"},
            {"--mail-to", "ADDRESS", "send a test message there"},
            {"--admin", "ADDRESS", "the e-mail address of the first administrator, who is made where there is none"},
            {"--web", "SERVER", "nginx or apache: writes the site file, which the web server tests"},
            {"--certificate", "FILE", "the certificate; one of certbot is found"},
            {"--certificate-key", "FILE", "its key"},
            {"--web-folder", "DIRECTORY", "where the web server's files are, instead of /etc/nginx or /etc/apache2"},
            {"--share", "DIRECTORY", "where otpgate's files are, instead of ../share/otpgate beside the program"},
            {"--no-questions", "", "ask nothing, even at a terminal"}}}},
         "Where the present database holds users and the new one does not, the settings are left as they are, and it\n"
         "says how to take the users along. A site file that was there is kept as otpgate.conf.before-setup.\n"
         "\n"
         "Exit code 0 when each step was taken, 1 when one failed, 2 for wrong arguments.\n",
         &setup},
        {"serve",
         "answer requests until SIGTERM or SIGINT",
         {{"",
           "",
           "Listens on server.listen for the web server's FastCGI requests and sends the messages.",
           {{"--migrate", "", "update the database first; without it, it must be up to date"}}}},
         "",
         &serve},
        {"deliver",
         "send what waits in the outbox until SIGTERM or SIGINT",
         {{"", "", "", {}}},
         "Answers no requests: it sends what `otpgate serve` wrote (with delivery.mode = outbox) or left behind, on\n"
         "this host or another. Several may run at once; each message is taken by one of them. The settings, and the\n"
         "master key file, must be those of otpgate serve, and the database must have been migrated.\n",
         &deliver},
        {"migrate",
         "create or update the database",
         {{"", "", "Applies what is missing, under a lock: safe to run twice or on several hosts at once.", {}}},
         "",
         &migrate},
        {"backup",
         "write all data to a file, while the service runs",
         {{"",
           "FILE",
           "Writes every table, as it is at one moment, to a new file that its owner alone can read. The master key is "
           "not in it.",
           {}}},
         "The file tells its version and ends with a checksum. It can be restored into SQLite, MySQL and MariaDB,\n"
         "whichever it was made from, by this otpgate and later ones.\n"
         "\n"
         "Exit code 0 when all of it is on the disk; else there is no FILE.\n",
         &backup},
        {"restore",
         "put what a backup holds into the database of the settings",
         {{"",
           "FILE",
           "Checks all of FILE first, so that a damaged one changes nothing. Makes the tables of the backup's version, "
           "fills and migrates them, and reads all of it again to compare.",
           {{"--replace", "", "lose what the database holds; without it, it must be empty"}}}},
         "Until it is done otpgate does not start on this database, and neither does it over one whose restore was\n"
         "ended: run it again. otpgate must be stopped meanwhile. The master key file is to be put back by hand.\n"
         "\n"
         "Exit code 0 when all is there, 1 when not, 2 when FILE or the database is refused, which changes nothing.\n",
         &restore},
        {"copy-data",
         "copy all data from one database to another, such as from SQLite to MySQL",
         {{"",
           "",
           "Copies every user, session, limit and all else, as they are at one moment, to an empty database; both are "
           "as "
           "database.url in the settings, which is what --from or --to stands for where it is left out.",
           {{"--from", "URL", "where they are"},
            {"--to", "URL", "where they go"},
            {"--from-password-file", "FILE", "holds the password for --from"},
            {"--to-password-file", "FILE", "holds the password for --to"},
            {"--replace", "", "lose what --to holds"}}}},
         "As restore does, it reads all of it again to compare, and one that was ended is begun anew by running it\n"
         "again. Stop otpgate for it, and let it serve from the new database by database.url and the same master key\n"
         "file: every session goes on.\n"
         "\n"
         "Exit code 0 when all is there, 1 when not, 2 when a database is refused.\n",
         &copyData},
        {"check-config",
         "read every setting and start nothing",
         {{"",
           "",
           "Reads the file, the environment, the master key file and all that they name. Nothing is changed or "
           "contacted. Root reads them as the user otpgate, where there is one.",
           {{"--as", "USER", "read them as this user"}}}},
         "",
         &checkConfig},
        {"keys",
         "make the master key file and replace its key; list and rotate token keys",
         {{"init",
           "",
           "makes keys.master_file with a new master key; never overwrites one",
           {{"--if-missing", "", "say nothing where there is one"}}},
          {"add", "", "puts a new key at the end of the file; nobody uses it yet", {}},
          {"promote",
           "",
           "makes the last key of the file the first, which is used, if every running otpgate knows it",
           {}},
          {"drop",
           "",
           "takes the last key out of the file, if nobody uses it any more. What it signed is void then: browsers are "
           "no longer known, sessions of cookies end",
           {}},
          {"list",
           "",
           "shows the keys that sign access tokens (ES256) and ID tokens (RS256), and from when each does",
           {kJson}},
          {"rotate",
           "",
           "publishes a new one of each now; it signs ten minutes later, when everyone knows it",
           {kJson}}},
         "",
         &keys},
        {"audit",
         "write the audit trail to standard output, the newest first",
         {{"export",
           "",
           "all of it, or what the options choose",
           {{"--from", "TIME", "from this time on, inclusive"},
            {"--to", "TIME", "until this time, inclusive"},
            {"--event", "EVENT", "of one kind, such as LOGIN_FAILED"},
            {"--email", "ADDRESS", "about one address"},
            {"--format", "FORMAT", "csv (unless you say otherwise) or json"}}}},
         "TIME is a date (2026-11-20) or RFC 3339 (2026-11-20T05:12:00Z).\n",
         &audit},
        {"stats",
         "show how often what happened, by day or by hour",
         {{"",
           "",
           "From the audit trail, which is counted a few minutes after each hour, and keeps its counts when it is "
           "deleted.",
           {{"--by", "UNIT", "day (unless you say otherwise) or hour, of UTC"},
            {"--from", "TIME", "from this time on; 30 days ago, or 48 hours, unless you say otherwise"},
            {"--to", "TIME", "until this time"},
            kJson}}},
         "TIME is a date (2026-11-20) or RFC 3339 (2026-11-20T05:12:00Z). A line is: when the period begins, event,\n"
         "number. At most 1000 periods.\n",
         &stats},
        {"outbox",
         "show, try again and remove messages that wait or could not be sent",
         {{"list",
           "",
           "a message a line, the oldest first: id, state, what it is, channel, masked destination, sendings that "
           "failed, age, last error",
           {{"--dead", "", "those that were given up"}, kJson}},
          {"retry",
           "[ID...]",
           "lets messages that wait or are dead be sent now. What has expired is never sent, and named",
           {{"--all", "", "all of them"}}},
          {"purge",
           "[ID...]",
           "removes messages; what was still to be sent is audited as not sent",
           {{"--dead", "", "those that were given up"},
            {"--older-than", "DURATION", "those that were made before, such as 12h; with --dead, of the dead ones"}}}},
         "States: waiting is to be sent, or rests after a failure; leased is in the hands of a process; dead was "
         "given\n"
         "up, and is kept for retention.dead_letters.\n"
         "\n"
         "Exit code 0 when all that was asked for by id was done; 1 when one of them was not (each is named on\n"
         "standard error); with --all, --dead and --older-than 0 even then. 2 for wrong arguments.\n",
         &outbox},
        {"user",
         "make, show, disable and delete accounts",
         {{"create",
           "",
           "makes a user whose addresses count as verified; one or both of them are needed",
           {{"--email", "ADDRESS", "the e-mail address"},
            {"--phone", "NUMBER", "the telephone number, such as +4930123456"},
            {"--admin", "", "an administrator"},
            {"--password-stdin", "",
             "the first line of standard input is the password; else the user signs in by code"},
            kJson}},
          {"list",
           "",
           "one user a line: id, status, role, date of joining, e-mail address, telephone number",
           {{"--status", "STATUS", "active or disabled ones"},
            {"--role", "ROLE", "users or admins: user, admin"},
            {"--match", "TEXT", "with this text in an address, the user name or the name; case does not matter"},
            {"--joined-since", "TIME", "who joined at this time or later"},
            {"--unused-since", "TIME", "who has not signed in since"},
            {"--limit", "N", "so many at most"},
            kJson}},
          {"show", "WHO", "all about one", {kJson}},
          {"export",
           "WHO",
           "all that is known of one as JSON, for that person to have: account, sessions, devices, API keys without "
           "their secrets, groups, codes, messages and events",
           {}},
          {"disable", "WHO", "lets the user sign in no more, and ends every session at once", {kJson}},
          {"enable", "WHO", "takes that back; the ended sessions stay ended", {kJson}},
          {"make-admin", "WHO", "lets the user see everybody's audit trail", {kJson}},
          {"make-user", "WHO", "takes that back", {kJson}},
          {"set-username",
           "WHO NAME",
           "gives the user this name, in the place of one that it may have; refused where it is, or ever was, "
           "somebody else's",
           {kJson}},
          {"set-address",
           "WHO ADDRESS",
           "gives the user this e-mail address or telephone number, which counts as verified from then on; where it "
           "replaces another, every session ends and the owner is told at both",
           {kJson}},
          {"end-sessions", "WHO", "ends every session, with the known devices and the API keys", {kJson}},
          {"clear-limits",
           "WHO",
           "forgets what was counted against the addresses and devices: codes can be asked for and guessed again",
           {kJson}},
          {"reset-factors",
           "WHO",
           "removes every passkey, for who has lost them: the user signs in by a code again; every session ends, and "
           "the owner is told",
           {kJson}},
          {"send-again",
           "WHO",
           "sends the newest message that waits for the user or was given up, if its code is still good",
           {kJson}},
          {"delete",
           "WHO",
           "removes the user with sessions, devices, API keys and codes; of the audit trail event, time and user id "
           "stay, and nobody else gets the user name",
           {kJson}}},
         "WHO is an e-mail address, a telephone number, a user name or an id. TIME is a date (2026-11-20) or RFC "
         "3339.\n"
         "\n"
         "--json prints what the API calls a user; list prints an array of them. Exit code 0 when it is as asked for,\n"
         "before or after; 1 when there is no such user, or the address or the name is taken; 2 for wrong "
         "arguments.\n",
         &user},
        {"group",
         "make and fill the groups that applications are told of",
         {{"create", "NAME", "makes a group without members", {}},
          {"list", "", "one group a line: name and number of members", {kJson}},
          {"show", "NAME", "the members, one user a line: id, user name, e-mail address, telephone number", {kJson}},
          {"add", "NAME WHO...", "makes members of these users", {}},
          {"remove", "NAME WHO...", "takes that back", {}},
          {"delete", "NAME", "removes the group; its members stay users", {}}},
         "NAME is 1 to 64 of a-z, 0-9, dot, _ and -. WHO is an e-mail address, a telephone number, a user name or an "
         "id.\n"
         "\n"
         "Applications find a user's groups in `groups` of the user and of introspection, and in X-Auth-Groups of\n"
         "/authz, from the next request on. Exit code 0 when it is as asked for, before or after; 1 when there is no\n"
         "such group or user, or a user's groups would be more than 1000 characters; 2 for wrong arguments.\n",
         &group},
        {"client",
         "register applications that sign their users in here (OpenID Connect)",
         {{"create",
           "NAME",
           "registers an application and prints its id and its secret, which is shown this once",
           {{"--redirect", "URI...", "where it takes the answer, exactly; once for each"},
            {"--post-logout", "URI...", "where its users may be sent after they have signed out; once for each"},
            {"--backchannel", "URI", "where it is told that a session has ended"},
            {"--title", "TEXT", "as people read it; NAME unless it is said"},
            {"--public", "", "a program or a page that can keep no secret"},
            {"--no-pkce", "", "it does not know PKCE (RFC 7636), such as Roundcube and Gitea"},
            {"--alg", "ALG", "of its ID tokens: RS256, unless you say ES256"},
            {"--groups", "GROUPS", "who may sign in there, by comma; else everybody"},
            {"--consent", "WORD", "never, or ask: each user, once, what the application may know"},
            {"--for", "APPLICATION",
             "print its finished configuration: apache, nextcloud, wordpress, roundcube, grafana, gitea, express"},
            kJson}},
          {"list", "", "one application a line: id, state, where it takes the answer", {kJson}},
          {"show", "NAME", "all about one; its secret is not known here", {kJson}},
          {"change",
           "NAME",
           "changes what is said, and leaves the rest as it is; an option that is empty takes away",
           {{"--redirect", "URI...", "where it takes the answer: all of them, in the place of those that are there"},
            {"--post-logout", "URI...", "where its users may be sent after they have signed out: all of them"},
            {"--backchannel", "URI", "where it is told that a session has ended"},
            {"--title", "TEXT", "as people read it"},
            {"--pkce", "", "it knows PKCE (RFC 7636)"},
            {"--no-pkce", "", "it does not"},
            {"--alg", "ALG", "of its ID tokens: RS256 or ES256"},
            {"--groups", "GROUPS", "who may sign in there, by comma; empty: everybody"},
            {"--consent", "WORD", "never or ask"},
            kJson}},
          {"rotate-secret", "NAME", "gives it a new secret, and the old one is void at once", {kJson}},
          {"disable", "NAME", "lets nobody sign in there, and voids its tokens", {kJson}},
          {"enable", "NAME", "takes that back; what was void stays so", {kJson}},
          {"delete", "NAME", "removes it, with all that users have allowed it", {kJson}}},
         "NAME is 1 to 64 of a-z, 0-9, dot, _ and -, and the client_id.\n"
         "\n"
         "Exit code 0 when it is as asked for, 1 when there is no such client, or one of this name already; 2 for "
         "wrong\n"
         "arguments.\n",
         &client},
        {"webhook",
         "tell other servers of events over HTTP",
         {{"add",
           "URL",
           "has events posted there from the next seconds on, and prints the secret that signs them, shown this once",
           {{"--events", "EVENTS", "these alone, by comma; else all"}, kJson}},
          {"list",
           "",
           "one webhook a line: id, state, URL, events, what waits and was given up, the last fault",
           {kJson}},
          {"test", "ID", "posts webhook.test as all is posted, and says what came of it", {}},
          {"retry", "ID", "posts all that waits or was given up now, and enables it", {}},
          {"rotate-secret", "ID", "gives it a new secret; for 24 hours the old one signs as well", {kJson}},
          {"delete", "ID", "removes it, with all that waits for it", {}}},
         "EVENTS are user.created, user.updated, user.disabled, user.enabled, user.deleted, address.changed,\n"
         "password.changed, session.created, session.ended, factor.added, factor.removed, factor.reset,\n"
         "login.failed_limit and message.failed. What each has in it, and how a receiver checks it, is in\n"
         "/docs/webhooks.\n"
         "\n"
         "Exit code 0 when it is as asked for, 1 when there is no such webhook, there are 20 of them, or the test\n"
         "was not delivered; 2 for wrong arguments.\n",
         &webhook},
        {"import-users",
         "take over the users of any other service",
         {{"",
           "FILE",
           "FILE has a JSON object a line, each a user; - is standard input.",
           {{"--admins", "", "take administrators as well; else a line with role admin is refused"}}}},
         "Fields: email, phone_number (one of the two is needed), email_verified, phone_verified, username,\n"
         "display_name, first_name, last_name, locale, role (user, admin), status (active, disabled), joined_at,\n"
         "last_login_at (RFC 3339), groups (an array of names; `otpgate group create` makes them before) and\n"
         "password_hash. Any other field is an error, so that a misspelt one is not lost.\n"
         "\n"
         "password_hash, each as its service writes it:\n"
         "  $argon2id$, $argon2i$              up to 256 MiB, 10 passes, 16 lanes\n"
         "  $2a$, $2b$, $2y$                   bcrypt, up to cost 15\n"
         "  $scrypt$ln=16,r=8,p=1$             passlib, Ory Kratos (N itself in ln); up to 256 MiB and p=16\n"
         "  scrypt$, scrypt:                   Django, Werkzeug\n"
         "  $firescrypt$ln=14,r=8,p=1$         Firebase: salt$hash$salt separator$signer key\n"
         "  $pbkdf2-sha256$i=100000,l=32$      Ory Kratos; $pbkdf2-sha256$29000$ passlib; of SHA-1,\n"
         "                                     SHA-256 or SHA-512, up to 5000000 rounds\n"
         "  pbkdf2_sha256$, pbkdf2:sha256:     Django, Werkzeug\n"
         "  $5$, $6$                           SHA-crypt, of /etc/shadow; up to 1000000 rounds\n"
         "A name in braces before a $, {BLF-CRYPT} of Dovecot or {bcrypt} of Spring, is skipped. These go on working, "
         "and\n"
         "are hashed anew at the first login. From then on every wrong password, whoever's, takes as long as the "
         "costliest\n"
         "of each kind does, so that nobody is found out by the time: more than six costs of Argon2 and scrypt are "
         "not\n"
         "taken. Of a hash that costs more, is damaged, unknown or too weak to keep (MD5, SHA-1, plain SHA-2, "
         "phpass)\n"
         "the owner is imported without a password, signs in by code and sets a new one.\n"
         "\n"
         "Nobody is overwritten: who is there already, by address, is unchanged, so a second run does no harm, and "
         "one\n"
         "that was stopped goes on where it was. A line that cannot be imported, and a password that is not taken, "
         "is\n"
         "named on standard error by its number, counted from 1. A user name that does not fit, or that somebody "
         "has,\n"
         "becomes the display name.\n"
         "\n"
         "At the end all of these are counted by reason. The last line is `N imported, N unchanged, N skipped`. Exit "
         "code\n"
         "0 when all of every user was taken; 1 when a line was skipped or a password not taken; 2 for wrong "
         "arguments.\n",
         &importUsers},
        {"import-django",
         "take over the users of a Django site",
         {{"",
           "FILE",
           "FILE is what `manage.py dumpdata auth.user` wrote, or the same for a user model of your own; - is "
           "standard input.",
           {{"--admins", "",
             "make administrators of those who are staff or superusers; else everybody becomes a user"}}}},
         "Read are username, email, phone_number or phone, password, first_name, last_name, is_active, is_staff,\n"
         "is_superuser, date_joined, last_login, email_verified, is_phone_verified and is_verified. Objects of other\n"
         "models are left out. Passwords of Django's PBKDF2, bcrypt, Argon2 and scrypt hashers go on working and are\n"
         "hashed anew at the first login. From then on every wrong password, whoever's, takes as long as the "
         "costliest\n"
         "of them does, so that nobody is found out by the time. What MD5, SHA-1 and crypt made is too weak to keep: "
         "its\n"
         "owner is imported without a password, signs in by code and sets a new one.\n"
         "\n"
         "Nobody is overwritten: who is there already, by address, is unchanged, so a second run does no harm. A row\n"
         "that cannot be imported is named on standard error by its index in the array, counted from 0, and skipped.\n"
         "A user name that fits (2 to 64 of a-z, 0-9, dot, _ and -, in any case) and that nobody has becomes the user\n"
         "name; any other becomes the display name, and these are counted.\n"
         "\n"
         "At the end the skipped rows, and the passwords that were not taken, are counted by reason. The last line is\n"
         "`N imported, N unchanged, N skipped`. Exit code 0 when all of every user was taken; 1 when a row was "
         "skipped\n"
         "or a password not taken; 2 for wrong arguments.\n",
         &importDjango},
        {"mail-test",
         "send a test message and show what the mail server says",
         {{"",
           "ADDRESS",
           "Sends a short message to ADDRESS by the server of [mail], and another by that of [mail_fallback] where "
           "there "
           "is one.",
           {}}},
         "Shows the dialogue line by line, C: what we say, S: what the server says, -- the connection, its TLS and\n"
         "certificate; passwords and tokens are left out. The last lines are `sent`, or `failed:` with the reason, "
         "and\n"
         "`what to change:`. With mail.transport = file it names the file that it wrote.\n"
         "\n"
         "Exit code 0 when every server took the message, 1 when one did not, 2 for wrong arguments or settings.\n",
         &mailTest},
        {"sms-test",
         "send one short message and say what to change",
         {{"", "NUMBER", "Sends a line of text to NUMBER (+4930123456) as sms.transport says.", {}}},
         "Prints the provider and its host, the length of the text, the status of the answer, and the id of the\n"
         "message, or the error and what to change. Secrets and numbers are masked. sms.allowed_prefixes holds, and "
         "the\n"
         "message counts in sms.daily_budgets.\n"
         "\n"
         "Exit code 0 when the provider took the message, 1 when it did not, 2 for wrong arguments or settings.\n",
         &smsTest},
        {"templates",
         "check and show the words of the messages",
         {{"check",
           "[DIRECTORY]",
           "prints what is wrong with them, a line each, as FILE:LINE: what; of DIRECTORY, else of the settings'. Exit "
           "code 1 when something is",
           {}},
          {"list", "", "shows the languages and where their files are from", {kJson}},
          {"show", "LOCALE KIND [PART]", "renders an example", {}}},
         "Templates are mustache: LOCALE/KIND.PART, where KIND is code, link, new_sign_in, password_changed,\n"
         "address_changed, many_failures, passkey_added, passkey_removed,\n"
         "authenticator_added, authenticator_removed, recovery_codes_made,\n"
         "recovery_code_used or device_trusted, and PART is subject, txt, html or sms.\n"
         "Those of templates.directory take the place of the\n"
         "built-in ones, file by file. A kind that a language of yours lacks is sent in English, and the log says so.\n"
         "\n"
         "Placeholders: {{service}} everywhere; {{code}} and {{minutes}} in code (no code in its subject), where a "
         "section\n"
         "{{#link}} may show {{link}}; {{link}} and {{minutes}} in link (not in its subject); {{time}},\n"
         "{{ip_address}} and {{device}} in the others, {{changed_address}} in address_changed, {{codes_left}} in\n"
         "recovery_code_used; {{lang}}, {{dir}} and\n"
         "{{subject}} in html, where {{> NAME}} includes layout/NAME.html. Sections that show text only where it "
         "holds:\n"
         "{{#login}} {{#register}} {{#verify}} {{#reset}} {{#change}} by what a code is for; {{#one}} {{#two}} "
         "{{#few}}\n"
         "{{#many}} {{#other}} by the plural form of the minutes, those of the language; {{#ip_address}} {{#device}}\n"
         "{{#changed_address}} where there is one, {{#codes_left}} where they are few; in sms {{#show_service}} "
         "{{#show_minutes}} {{#show_details}} while\n"
         "one short message holds all. Each ends with {{/NAME}}; {{^NAME}} is shown where it does not hold. The last\n"
         "line of a code's SMS, by which phones fill it in, comes by itself.\n",
         &templates},
        {"health",
         "say whether database, migrations, keys and the running service are well",
         {{"", "", "Exit code 0 when all is well, 1 when something is not.", {kJson}}},
         "",
         &health},
        {"doctor",
         "say what is wrong with this installation, why it matters, and what to do",
         {{"",
           "",
           "Looks at the settings, the database, clock, migrations and keys, the socket and whether the web server may "
           "use "
           "it, the certificate and the client's address as they arrive by server.public_url on this machine, mail and "
           "SMS, what waits or was given up, and limits that are off. Nothing is changed, and no message sent.",
           {{"--send-mail", "ADDRESS", "send a test message, too"},
            {"--as", "USER", "look at the service's files as this user; root does so as the user otpgate"},
            kJson}}},
         "What is wrong comes first, then what is doubtful, then what is good. --json prints {\"well\": true,\n"
         "\"findings\": [{\"check\", \"level\": \"good\", \"doubtful\" or \"wrong\", \"what\", \"why\", \"todo\"}]}.\n"
         "\n"
         "Exit code 0 when nothing is wrong, 1 when something is, 2 for wrong arguments.\n",
         &doctor},
        {"help",
         "say more of a command",
         {{"",
           "[COMMAND]",
           "Without COMMAND, what there is.",
           {{"--man", "", "print the man page, as roff"}, {"--bash", "", "print the completion for bash"}}}},
         "",
         &help},
        {"version", "show the version", {{"", "", "", {}}}, "", &version},
    };
    return list;
}

}  // namespace otpgate::cli
