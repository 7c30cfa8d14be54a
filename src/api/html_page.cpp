#include "api/html_page.h"

#include "otpgate/base/encoding.h"

namespace otpgate::api {

HtmlPage::HtmlPage(const ApiSettings& settings, int status, std::string_view title, std::string_view formTarget)
    : settings_(settings) {
    response_.status = status;
    response_.contentType = "text/html; charset=utf-8";
    std::string target = formTarget.empty() ? std::string{} : " " + std::string{formTarget};
    contentSecurity_ =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none';"
        " form-action 'self'" +
        target + "; frame-ancestors 'none'";
    raw("<!doctype html>\n<html lang=\"");
    const std::size_t begin = response_.body.size();
    raw("en");
    response_.said.push_back({begin, response_.body.size(), "en", http::Said::Form::Language});
    raw("\" dir=\"auto\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    sentence(title);
    raw("</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n"
        "<link rel=\"icon\" href=\"");
    escaped(settings.basePath);
    raw("/favicon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"");
    escaped(settings.basePath);
    raw("/css/page.css\">\n</head>\n<body>\n<header class=\"site\"><bdi>");
    escaped(settings.page.name);
    raw("</bdi></header>\n<main class=\"card\">\n<h1>");
    sentence(title);
    raw("</h1>\n");
}

HtmlPage& HtmlPage::paragraph(std::string_view english) {
    raw("<p class=\"lead\">");
    sentence(english);
    raw("</p>\n");
    return *this;
}

HtmlPage& HtmlPage::items(const std::vector<std::string_view>& english) {
    raw("<ul>\n");
    for (const std::string_view item : english) {
        raw("<li>");
        sentence(item);
        raw("</li>\n");
    }
    raw("</ul>\n");
    return *this;
}

HtmlPage& HtmlPage::link(std::string_view english) {
    raw("<a class=\"primary\"");
    attribute("href", settings_.basePath + "/");
    raw(">");
    sentence(english);
    raw("</a>\n");
    return *this;
}

HtmlPage& HtmlPage::form(std::string_view action, const std::vector<std::pair<std::string, std::string>>& hidden,
                         const std::vector<Button>& buttons) {
    raw("<form method=\"post\"");
    attribute("action", action);
    raw(">\n");
    for (const auto& [name, value] : hidden) {
        raw("<input type=\"hidden\"");
        attribute("name", name);
        attribute("value", value);
        raw(">\n");
    }
    for (const Button& button : buttons) {
        raw(&button == &buttons.front() ? "<button class=\"primary\"" : "<button");
        if (!button.name.empty()) {
            attribute("name", button.name);
            attribute("value", button.value);
        }
        raw(">");
        sentence(button.english);
        raw("</button>\n");
    }
    raw("</form>\n");
    return *this;
}

HtmlPage& HtmlPage::sendByItself() {
    return script(settings_.basePath + "/js/send.js");
}

HtmlPage& HtmlPage::box(std::string_view id, const std::vector<std::pair<std::string, std::string>>& attributes) {
    raw("<div");
    attribute("id", id);
    for (const auto& [name, value] : attributes) attribute(name, value);
    raw("></div>\n");
    return *this;
}

HtmlPage& HtmlPage::hiddenParagraph(std::string_view id, std::string_view english) {
    raw("<p hidden role=\"status\"");
    attribute("id", id);
    raw(">");
    sentence(english);
    raw("</p>\n");
    return *this;
}

HtmlPage& HtmlPage::script(std::string_view url) {
    raw("<script");
    attribute("src", url);
    raw("></script>\n");
    return *this;
}

HtmlPage& HtmlPage::policies(std::string contentSecurity, std::string referrer) {
    contentSecurity_ = std::move(contentSecurity);
    referrer_ = std::move(referrer);
    return *this;
}

http::Response HtmlPage::take() {
    raw("</main>\n</body>\n</html>\n");
    response_.with("Content-Security-Policy", contentSecurity_);
    response_.with("Referrer-Policy", referrer_);
    return std::move(response_);
}

void HtmlPage::escaped(std::string_view text) {
    appendHtml(response_.body, text);
}

void HtmlPage::sentence(std::string_view english) {
    const std::size_t begin = response_.body.size();
    escaped(english);
    response_.said.push_back({begin, response_.body.size(), std::string{english}, http::Said::Form::Html});
}

void HtmlPage::attribute(std::string_view name, std::string_view value) {
    raw(" ");
    raw(name);
    raw("=\"");
    escaped(value);
    raw("\"");
}

http::Response errorPage(const ApiSettings& settings, const http::ApiError& error, const http::Request& request) {
    const http::Response problem = error.toResponse(request.requestId);
    http::Response page =
        HtmlPage(settings, problem.status, http::describe(error.code()).title).paragraph(error.sentence()).take();
    page.headers.insert(page.headers.end(), problem.headers.begin(), problem.headers.end());
    page.accountLanguage = problem.accountLanguage;
    return page;
}

}  // namespace otpgate::api
