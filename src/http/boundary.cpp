#include "otpgate/http/boundary.h"

#include "http/header_names.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/http/accept_language.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>

namespace otpgate::http {

namespace {

// A client chooses the length of these two.
constexpr std::size_t kLoggedPathBytes = 512;
constexpr std::size_t kLoggedMethodBytes = 32;

struct Outcome {
    Response response;
    std::string_view code;  // of the table; empty when all went well
    std::string logDetail;
};

Outcome outcomeOf(const ApiError& error, const Router& router, const Request& request) {
    return {router.show(error, request), describe(error.code()).code, error.logDetail()};
}

Outcome unexpected(std::string_view what, const Router& router, const Request& request, Logger& log) {
    log.error("unhandled exception", {{"what", what}, {"request_id", request.requestId}});
    return outcomeOf(ApiError(ErrorCode::InternalError), router, request);
}

Outcome respond(const Router& router, Request& request, const Cors& cors, Logger& log) {
    try {
        if (auto preflight = cors.answerPreflight(request)) {
            router.recognize(request);
            return {std::move(*preflight), {}, {}};
        }
        return {router.route(request), {}, {}};
    } catch (const ApiError& error) {
        return outcomeOf(error, router, request);
    } catch (const ServiceUnavailable& error) {
        return outcomeOf(ApiError(ErrorCode::Unavailable, error.what()), router, request);
    } catch (const std::exception& error) {
        return unexpected(error.what(), router, request, log);
    } catch (...) {
        return unexpected("not a std::exception", router, request, log);
    }
}

// The language that the request itself names; what cannot be read names none.
std::string wishOf(const Request& request) {
    if (request.body.find("\"locale\"") == std::string::npos) return {};
    try {
        return parseLanguageTag(JsonBody(request).hint("locale").value_or("")).value_or("");
    } catch (const ApiError&) {
        return {};
    }
}

std::string spokenIn(std::string_view language, const Said& said, const Sentences& sentences) {
    switch (said.form) {
    case Said::Form::Json: break;
    case Said::Form::Html: {
        std::string escaped;
        appendHtml(escaped, sentences.in(language, said.english));
        return escaped;
    }
    case Said::Form::Language: return std::string{language};
    }
    JsonWriter text;
    text.value(sentences.in(language, said.english));
    return text.take();
}

void speak(Response& response, const Request& request, const Sentences& sentences) {
    if (response.said.empty()) return;
    const std::string_view language =
        sentences.choose({wishOf(request), response.accountLanguage,
                          acceptedLanguages(request.header("accept-language").value_or(std::string_view{}))});
    if (language != kSourceLanguage) {
        // From the end, so that the places before it stay true.
        for (auto said = response.said.rbegin(); said != response.said.rend(); ++said) {
            response.body.replace(said->begin, said->end - said->begin, spokenIn(language, *said, sentences));
        }
    }
    response.with("Content-Language", std::string{language});
    response.with("Vary", "Accept-Language");
}

void setUnlessThere(Response& response, std::string_view name, std::string_view value) {
    if (!hasHeader(response, name)) response.with(std::string{name}, std::string{value});
}

void logRequest(const Request& request, const Outcome& outcome, std::chrono::microseconds duration, Logger& log) {
    const LogField method{"method", std::string_view{request.method}.substr(0, kLoggedMethodBytes)};
    const LogField path{"path", std::string_view{request.path}.substr(0, kLoggedPathBytes)};
    const LogField status{"status", std::int64_t{outcome.response.status}};
    const LogField time{"duration_us", std::max<std::int64_t>(duration.count(), 0)};
    const LogField client{"client", request.clientAddress};
    const LogField requestId{"request_id", request.requestId};
    const LogField code{"code", outcome.code};
    const LogField detail{"detail", outcome.logDetail};
    if (outcome.code.empty()) {
        log.info("request", {method, path, status, time, client, requestId});
    } else if (outcome.logDetail.empty()) {
        log.info("request", {method, path, status, time, client, requestId, code});
    } else {
        log.info("request", {method, path, status, time, client, requestId, code, detail});
    }
}

}  // namespace

Response answer(const Router& router, Request& request, const Cors& cors, const Sentences& sentences,
                const Clock& clock, Logger& log, RequestMetrics& metrics) {
    try {
        const Timestamp begin = clock.now();
        Outcome outcome = respond(router, request, cors, log);
        speak(outcome.response, request, sentences);
        cors.permit(request, outcome.response);
        outcome.response.with("X-Request-Id", request.requestId);
        setUnlessThere(outcome.response, "Cache-Control", "no-store");
        setUnlessThere(outcome.response, "X-Content-Type-Options", "nosniff");
        // Data, opened as a page or in somebody's frame, shows nothing and loads nothing.
        setUnlessThere(outcome.response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        const std::chrono::microseconds duration = clock.now() - begin;
        metrics.count(request.route, request.method, outcome.response.status, duration);
        logRequest(request, outcome, duration, log);
        return std::move(outcome.response);
    } catch (...) {
        // Out of memory while an answer was built: what is left to say fits without any.
        Response response;
        response.status = 500;
        return response;
    }
}

}  // namespace otpgate::http
