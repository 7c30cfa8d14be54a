#include "cli/commands.h"
#include "cli/installation.h"
#include "otpgate/http/json.h"

#include <iostream>

namespace otpgate::cli {

int health(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    Installation installation(settings);
    const bool asJson = invocation.has("--json");
    bool isWell = true;
    http::JsonWriter json;
    json.beginObject();
    for (const auto& [name, check] : installation.checks()) {
        std::string told = "ok";
        try {
            if (const std::string host = check(); !host.empty()) told += ", at " + host;
        } catch (const std::runtime_error& error) {
            told = error.what();
            isWell = false;
        }
        json.member(name, told);
        if (!asJson) std::cout << name << ": " << told << "\n";
    }
    json.endObject();
    if (asJson) std::cout << json.take() << "\n";
    return isWell ? 0 : 1;
}

}  // namespace otpgate::cli
