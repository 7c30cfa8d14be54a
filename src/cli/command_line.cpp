#include "cli/command_line.h"

#include <algorithm>
#include <sstream>
#include <unistd.h>

namespace otpgate::cli {

namespace {

constexpr std::size_t kLineWidth = 100;
constexpr std::size_t kNameWidth = 15;

const Option kConfig{"--config", "FILE", "the settings, instead of /etc/otpgate/otpgate.conf"};
const Option kHelp{"--help", "", "show this; -h too"};

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream{std::string{text}};
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

// What an action's words allow: ID... is at least one, [ID...] any number.
struct WordCount {
    std::vector<std::string> required;
    std::size_t most = 0;
};

WordCount countWords(const Action& action) {
    WordCount count;
    for (const std::string& word : split(action.words, ' ')) {
        const bool isOptional = word.starts_with('[');
        if (!isOptional) count.required.push_back(word.substr(0, word.find("...")));
        count.most = word.find("...") == std::string::npos ? count.most + 1 : std::string::npos;
    }
    return count;
}

bool hasActions(const Command& command) {
    return *command.actions.front().name != '\0';
}

std::string namesOf(const Command& command) {
    std::string names;
    for (const Action& action : command.actions) names.append(names.empty() ? "" : ", ").append(action.name);
    return names;
}

const Action& actionOf(const Command& command, const std::vector<std::string>& arguments) {
    if (!hasActions(command)) return command.actions.front();
    if (arguments.empty()) throw UsageError("say which: " + namesOf(command));
    const auto found =
        std::ranges::find_if(command.actions, [&](const Action& action) { return arguments.front() == action.name; });
    if (found == command.actions.end()) {
        throw UsageError("unknown: " + std::string{command.name} + " " + arguments.front() + "; there are " +
                         namesOf(command));
    }
    return *found;
}

const Option& optionOf(const Action& action, const std::string& name) {
    if (name == kConfig.name) return kConfig;
    const auto found = std::ranges::find_if(action.options, [&](const Option& option) { return name == option.name; });
    if (found == action.options.end()) throw UsageError("unknown option: " + name);
    return *found;
}

void requireWords(const Action& action, const std::vector<std::string>& words) {
    const WordCount count = countWords(action);
    if (words.size() < count.required.size()) throw UsageError("missing: " + count.required[words.size()]);
    if (words.size() > count.most) throw UsageError("unexpected argument: " + words[count.most]);
}

// Lines of at most kLineWidth characters, the second and later ones with so many blanks before them.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t already) {
    std::string out;
    std::size_t width = already;
    for (const std::string& word : split(text, ' ')) {
        if (width > indent && width + 1 + word.size() > kLineWidth) {
            out.append("\n").append(indent, ' ');
            width = indent;
        } else if (!out.empty()) {
            out += ' ';
            ++width;
        }
        out += word;
        width += word.size();
    }
    return out;
}

std::string entry(std::string name, std::string_view text, std::size_t indent, std::size_t column) {
    name.insert(0, indent, ' ');
    if (name.size() + 2 > column) {
        name.append("\n").append(column, ' ');
    } else {
        name.resize(column, ' ');
    }
    return name + wrapped(text, column, column) + "\n";
}

std::string shown(const Option& option) {
    return std::string{option.name} + (*option.value == '\0' ? "" : " ") + option.value;
}

std::string usageLine(const Command& command, const Action& action) {
    std::string line = std::string{"otpgate "} + command.name;
    for (const char* part : {action.name, action.words}) {
        if (*part != '\0') line.append(" ").append(part);
    }
    for (const Option& option : action.options) line += " [" + shown(option) + "]";
    return line + " [--config FILE]";
}

// A paragraph is filled; a line that begins with a blank stands as it is.
std::string filled(std::string_view notes) {
    std::string out;
    std::string paragraph;
    const auto flush = [&] {
        if (!paragraph.empty()) out += wrapped(paragraph, 0, 0) + "\n";
        paragraph.clear();
    };
    for (const std::string& line : split(notes, '\n')) {
        if (line.empty() || line.starts_with(' ')) {
            flush();
            out += line + "\n";
        } else {
            paragraph.append(paragraph.empty() ? "" : " ").append(line);
        }
    }
    flush();
    return out;
}

// Backslashes, dashes, and a dot or a quote at the beginning of a line mean something to roff.
std::string roff(std::string_view text) {
    std::string out;
    bool isLineBegin = true;
    for (const char c : text) {
        if (isLineBegin && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        isLineBegin = c == '\n';
    }
    return out;
}

}  // namespace

std::optional<std::string> Invocation::value(const std::string& option) const {
    const auto found = options.find(option);
    return found == options.end() ? std::nullopt : std::optional{found->second};
}

Settings Invocation::settings() const {
    std::map<std::string, std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return loadSettings(configPath, environment);
}

Invocation parse(const Command& command, const std::vector<std::string>& arguments) {
    // The action is the first word, wherever --config FILE stands.
    std::vector<std::string> rest = arguments;
    std::vector<std::string> before;
    while (rest.size() > 1 && rest.front() == kConfig.name) {
        before.insert(before.end(), rest.begin(), rest.begin() + 2);
        rest.erase(rest.begin(), rest.begin() + 2);
    }
    const Action& action = actionOf(command, rest);
    Invocation invocation;
    invocation.action = action.name;
    if (hasActions(command)) rest.erase(rest.begin());
    rest.insert(rest.begin(), before.begin(), before.end());

    bool onlyWords = false;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const std::string& argument = rest[i];
        if (onlyWords || !argument.starts_with("-") || argument == "-") {
            invocation.words.push_back(argument);
            continue;
        }
        if (argument == "--") {
            onlyWords = true;
            continue;
        }
        const auto equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        const Option& option = optionOf(action, name);
        const bool takesValue = *option.value != '\0';
        std::string value;
        if (equals != std::string::npos) {
            if (!takesValue) throw UsageError(name + " takes no value");
            value = argument.substr(equals + 1);
        } else if (takesValue) {
            if (++i == rest.size()) throw UsageError(name + " needs a value: " + option.value);
            value = rest[i];
        }
        if (name == kConfig.name) {
            invocation.configPath = value;
        } else if (std::string_view{option.value}.ends_with("...") && invocation.has(name)) {
            invocation.options[name] += " " + value;
        } else {
            invocation.options[name] = value;
        }
    }
    requireWords(action, invocation.words);
    return invocation;
}

std::string usageOf(const Command& command) {
    std::string usage;
    for (const Action& action : command.actions) {
        const std::string lead = usage.empty() ? "usage: " : "       ";
        usage += lead + wrapped(usageLine(command, action), 11, 7) + "\n";
    }
    return usage;
}

std::string helpOf(const Command& command) {
    std::string help = usageOf(command) + "\n" + command.summary + "\n\n";
    for (const Action& action : command.actions) {
        const bool isNamed = *action.name != '\0';
        if (isNamed) {
            help += entry(action.name, action.help, 0, 13);
        } else if (*action.help != '\0') {
            help += wrapped(action.help, 0, 0) + "\n\n";
        }
        for (const Option& option : action.options) help += entry(shown(option), option.help, isNamed ? 13 : 2, 34);
    }
    for (const Option& option : {kConfig, kHelp}) help += entry(shown(option), option.help, 2, 34);
    if (*command.notes != '\0') help += "\n" + filled(command.notes);
    return help;
}

std::string overviewOf(const std::vector<Command>& commands) {
    std::string text = "usage: otpgate COMMAND [--config FILE]\n\n";
    for (const Command& command : commands) text += entry(command.name, command.summary, 2, kNameWidth + 2);
    return text +
           "\notpgate help COMMAND says more. Settings are described in otpgate.conf, all else in `man otpgate`\n"
           "and under /docs/ of a running service.\n";
}

std::string manPageOf(const std::vector<Command>& commands) {
    std::string page =
        ".TH OTPGATE 8 \"\" \"otpgate\" \"System administration\"\n.SH NAME\n"
        "otpgate \\- sign\\-in by one\\-time code behind nginx or Apache\n.SH SYNOPSIS\n"
        ".B otpgate\n.I COMMAND\n.RI [ ARGUMENT ...]\n.RB [ \\-\\-config\n.IR FILE ]\n.SH DESCRIPTION\n";
    page +=
        roff(
            "otpgate serves a login page and a JSON API over FastCGI: codes by e-mail and SMS, passwords, sessions, "
            "access tokens. This page lists its commands.") +
        "\n.SH COMMANDS\n";
    for (const Command& command : commands) {
        page += ".SS otpgate " + roff(command.name) + "\n" + roff(command.summary) + ".\n.PP\n";
        for (const Action& action : command.actions) {
            page += ".TP\n.B " + roff(usageLine(command, action)) + "\n" + roff(action.help) + "\n";
            if (action.options.empty()) continue;
            page += ".RS\n";
            for (const Option& option : action.options) {
                page += ".TP\n.B " + roff(shown(option)) + "\n" + roff(option.help) + "\n";
            }
            page += ".RE\n";
        }
        if (*command.notes != '\0') page += ".PP\n.nf\n" + roff(filled(command.notes)) + ".fi\n";
    }
    page +=
        ".SH FILES\n.TP\n.I /etc/otpgate/otpgate.conf\n" +
        roff("The settings; each is explained there, and can be given as OTPGATE_SECTION_NAME in the environment.") +
        "\n.TP\n.I /etc/otpgate/master.key\n" + roff("The master key: every code and token hangs on it.") +
        "\n.SH EXIT STATUS\n" +
        roff("0 when it was done, 1 when it was not, 2 when the arguments or the settings are wrong.") + "\n";
    return page;
}

std::string bashCompletionOf(const std::vector<Command>& commands) {
    std::string names;
    std::string cases;
    for (const Command& command : commands) {
        names.append(names.empty() ? "" : " ").append(command.name);
        std::string actions;
        std::string options = "--config --help";
        for (const Action& action : command.actions) {
            if (*action.name != '\0') actions.append(actions.empty() ? "" : " ").append(action.name);
            for (const Option& option : action.options) {
                if (options.find(option.name) == std::string::npos) options.append(" ").append(option.name);
            }
        }
        cases.append("        ").append(command.name).append(") actions='").append(actions).append("' options='");
        cases.append(options).append("' ;;\n");
    }
    return "# bash completion of otpgate, made by `otpgate help --bash`\n"
           "_otpgate() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} actions= options=\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        mapfile -t COMPREPLY < <(compgen -W '" +
           names +
           "' -- \"$current\")\n"
           "        return\n"
           "    fi\n"
           "    case $previous in --config) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;; esac\n"
           "    case ${COMP_WORDS[1]} in\n" +
           cases +
           "    esac\n"
           "    if [[ $current == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
           "    elif ((COMP_CWORD == 2)) && [[ -n $actions ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$actions\" -- \"$current\")\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
           "    fi\n"
           "}\n"
           "complete -F _otpgate otpgate\n";
}

}  // namespace otpgate::cli
