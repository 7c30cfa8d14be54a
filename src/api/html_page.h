// Small pages that the service answers itself: what a browser on the way between two applications is told, and asked.
// Text is escaped; the sentences of our own are said in the visitor's language by the boundary.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/request.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::api {

class HtmlPage {
public:
    // `formTarget`: an origin beside our own that a form of the page may lead to, by redirects too; may be empty.
    HtmlPage(const ApiSettings& settings, int status, std::string_view title, std::string_view formTarget = {});

    HtmlPage& paragraph(std::string_view english);
    HtmlPage& items(const std::vector<std::string_view>& english);
    // A button that goes to our login page.
    HtmlPage& link(std::string_view english);
    struct Button {
        std::string_view name;  // may be empty
        std::string_view value;
        std::string_view english;
    };
    HtmlPage& form(std::string_view action, const std::vector<std::pair<std::string, std::string>>& hidden,
                   const std::vector<Button>& buttons);
    // Sends the form at once, where scripts run.
    HtmlPage& sendByItself();
    // What a script works on: an element without content, by its id, and a sentence that it shows when it is time.
    HtmlPage& box(std::string_view id, const std::vector<std::pair<std::string, std::string>>& attributes);
    HtmlPage& hiddenParagraph(std::string_view id, std::string_view english);
    HtmlPage& script(std::string_view url);
    // In place of the policy that pages have, by which nothing is loaded from elsewhere and nobody learns whence
    // visitors come.
    HtmlPage& policies(std::string contentSecurity, std::string referrer);

    http::Response take();

private:
    void raw(std::string_view html) { response_.body += html; }
    void escaped(std::string_view text);
    void sentence(std::string_view english);
    void attribute(std::string_view name, std::string_view value);

    const ApiSettings& settings_;
    std::string contentSecurity_;
    std::string referrer_ = "no-referrer";
    http::Response response_;
};

// What a browser is shown of an error: its title and its sentence.
http::Response errorPage(const ApiSettings& settings, const http::ApiError& error, const http::Request& request);

}  // namespace otpgate::api
