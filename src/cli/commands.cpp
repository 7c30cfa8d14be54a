#include "cli/commands.h"

#include <unistd.h>

namespace otpgate::cli {

Settings Invocation::settings() const {
    std::map<std::string, std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return loadSettings(configPath, environment);
}

const std::vector<Command>& commands() {
    static const std::vector<Command> list = {
        {"serve", "[--migrate] [--config FILE]", "answer requests until SIGTERM or SIGINT",
         "Listens on server.listen for the web server's FastCGI requests and sends the messages.\n"
         "The database must have been migrated; with --migrate that is done first.\n",
         &serve},
        {"deliver", "[--config FILE]", "send what waits in the outbox until SIGTERM or SIGINT",
         "Answers no requests: it sends what `otpgate serve` wrote (with delivery.mode = outbox) or left behind, on "
         "this\n"
         "host or another. Several may run at once; each message is taken by one of them. The settings, and the "
         "master\n"
         "key file, must be those of otpgate serve, and the database must have been migrated.\n",
         &deliver},
        {"migrate", "[--config FILE]", "create or update the database",
         "Applies what is missing, under a lock: safe to run twice or on several hosts at once.\n", &migrate},
        {"check-config", "[--as USER] [--config FILE]", "read every setting and start nothing",
         "Reads the file, the environment, the master key file and all that they name. Nothing is changed or "
         "contacted. Root reads them as the user otpgate, where there is one, or as USER.\n",
         &checkConfig},
        {"keys", "init [--if-missing] | add | promote | drop | list | rotate [--config FILE]",
         "make the master key file and replace its key; list and rotate token keys",
         "init    makes keys.master_file with a new master key; never overwrites one (--if-missing: and says nothing)\n"
         "add     puts a new key at the end of the file; nobody uses it yet\n"
         "promote makes the last key of the file the first, which is used, if every running otpgate knows it\n"
         "drop    takes the last key out of the file, if nobody uses it any more. What it signed is void then:\n"
         "        browsers are no longer known, sessions of cookies end\n"
         "list    shows the keys that sign access tokens, and from when each does\n"
         "rotate  publishes a new one now; it signs ten minutes later, when everyone knows it\n",
         &keys},
        {"audit",
         "export [--from TIME] [--to TIME] [--event EVENT] [--email ADDRESS] [--format csv|json] [--config FILE]",
         "write the audit trail to standard output, the newest first",
         "TIME is a date (2026-11-20) or RFC 3339 (2026-11-20T05:12:00Z), both inclusive; EVENT a name such as "
         "LOGIN_FAILED.\n",
         &audit},
        {"outbox",
         "list [--dead] [--json] | retry ID...|--all | purge ID...|--dead|--older-than DURATION [--config FILE]",
         "show, try again and remove messages that wait or could not be sent",
         "list    a message a line, the oldest first: id, state, what it is, channel, masked destination, sendings "
         "that\n"
         "        failed, age, last error. waiting: to be sent, or resting after a failure; leased: in the hands of a\n"
         "        process; dead: given up, and kept for retention.dead_letters. --json prints an array\n"
         "retry   lets messages that wait or are dead be sent now. What has expired is never sent, and named\n"
         "purge   removes messages; what was still to be sent is audited as not sent. --dead: those given up;\n"
         "        --older-than 12h: those that were made before (with --dead: of the dead ones)\n\n"
         "Exit code 0 when all that was asked for by id was done; 1 when one of them was not (each is named on "
         "standard\n"
         "error); with --all, --dead and --older-than 0 even then. 2 for wrong arguments.\n",
         &outbox},
        {"user",
         "create --email ADDRESS | --phone NUMBER [--admin] [--password-stdin] | list |\n"
         "       show|disable|enable|make-admin|make-user|delete WHO  [--json] [--config FILE]",
         "make, show, disable and delete accounts",
         "WHO is an e-mail address, a telephone number or an id.\n\n"
         "create      makes a user whose addresses count as verified; --email and --phone may both be given.\n"
         "            --password-stdin reads the first line of standard input as the password; without it the user\n"
         "            signs in by code\n"
         "list        one user a line: id, status, role, date of joining, e-mail address, telephone number\n"
         "show        all about one\n"
         "disable     lets the user sign in no more, and ends every session at once\n"
         "enable      takes that back; the ended sessions stay ended\n"
         "make-admin  lets the user see everybody's audit trail; make-user takes that back\n"
         "delete      removes the user with sessions, devices, API keys and codes; of the audit trail event, time and\n"
         "            user id stay\n\n"
         "--json prints what the API calls a user; list prints an array of them. Exit code 0 when it is as asked for,\n"
         "before or after; 1 when there is no such user or the address is taken; 2 for wrong arguments.\n",
         &user},
        {"import-django", "FILE [--admins] [--config FILE]", "take over the users of a Django site",
         "FILE is what `manage.py dumpdata auth.user` wrote, or the same for a user model of your own; - is standard\n"
         "input. Read are username, email, phone_number or phone, password, first_name, last_name, is_active,\n"
         "is_staff, is_superuser, date_joined, last_login, email_verified, is_phone_verified and is_verified.\n"
         "Objects of other models are left out. Passwords of Django's PBKDF2, bcrypt, Argon2 and scrypt hashers go on\n"
         "working and are hashed anew at the first login. From then on every wrong password, whoever's, takes as long "
         "as\n"
         "the costliest of them does, so that nobody is found out by the time. What MD5, SHA-1 and crypt made is too "
         "weak\n"
         "to keep: its owner is imported without a password, signs in by code and sets a new one.\n\n"
         "--admins  makes administrators of those who are staff or superusers; else everybody becomes a user\n\n"
         "Nobody is overwritten: who is there already, by address, is unchanged, so a second run does no harm. A row\n"
         "that cannot be imported is named on standard error by its index in the array, counted from 0, and skipped. "
         "At\n"
         "the end the skipped rows, and the passwords that were not taken, are counted by reason. The last line is\n"
         "`N imported, N unchanged, N skipped`. Exit code 0 when all of every user was taken; 1 when a row was skipped "
         "or\n"
         "a password not taken; 2 for wrong arguments.\n",
         &importDjango},
        {"mail-test", "ADDRESS [--config FILE]", "send a test message and show what the mail server says",
         "Sends a short message to ADDRESS by the server of [mail], and another by that of [mail_fallback] where there "
         "is\n"
         "one. Shows the dialogue line by line, C: what we say, S: what the server says, -- the connection, its TLS "
         "and\n"
         "certificate; passwords and tokens are left out. The last lines are `sent`, or `failed:` with the reason, "
         "and\n"
         "`what to change:`. With mail.transport = file it names the file that it wrote.\n\n"
         "Exit code 0 when every server took the message, 1 when one did not, 2 for wrong arguments or settings.\n",
         &mailTest},
        {"sms-test", "NUMBER [--config FILE]", "send one short message and say what to change",
         "Sends a line of text to NUMBER (+4930123456) as sms.transport says. Prints the provider and its host, the\n"
         "length of the text, the status of the answer, and the id of the message, or the error and what to change.\n"
         "Secrets and numbers are masked. sms.allowed_prefixes holds, and the message counts in sms.daily_budgets.\n\n"
         "Exit code 0 when the provider took the message, 1 when it did not, 2 for wrong arguments or settings.\n",
         &smsTest},
        {"templates", "check [DIRECTORY] | list | show LOCALE KIND [PART]  [--config FILE]",
         "check and show the words of the messages",
         "Templates are mustache: LOCALE/KIND.PART, where KIND is code, new_sign_in, password_changed or\n"
         "address_changed, and PART is subject, txt, html or sms. Those of templates.directory take the place of the\n"
         "built-in ones, file by file.\n\n"
         "check  prints what is wrong with them, a line each, as FILE:LINE: what; of DIRECTORY, else of the "
         "settings'.\n"
         "       Exit code 1 when something is\n"
         "list   shows the languages and where their files are from\n"
         "show   renders an example\n\n"
         "Placeholders: {{service}} everywhere; {{code}} and {{minutes}} in code (no code in its subject); {{time}},\n"
         "{{ip_address}} and {{device}} in the others, {{changed_address}} in address_changed; {{lang}}, {{dir}} and\n"
         "{{subject}} in html, where {{> NAME}} includes layout/NAME.html. Sections that show text only where it "
         "holds:\n"
         "{{#login}} {{#register}} {{#verify}} {{#reset}} {{#change}} by what a code is for; {{#one}} {{#two}} "
         "{{#few}}\n"
         "{{#many}} {{#other}} by the plural form of the minutes, those of the language; {{#ip_address}} {{#device}}\n"
         "{{#changed_address}} where there is one; in sms {{#show_service}} {{#show_minutes}} {{#show_details}} while\n"
         "one short message holds all. Each ends with {{/NAME}}; {{^NAME}} is shown where it does not hold. The last\n"
         "line of a code's SMS, by which phones fill it in, comes by itself.\n",
         &templates},
        {"health", "[--config FILE]", "say whether database, migrations, keys and the running service are well",
         "Exit code 0 when all is well, 1 when something is not.\n", &health},
        {"version", "", "show the version", "", &version},
    };
    return list;
}

}  // namespace otpgate::cli
