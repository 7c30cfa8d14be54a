#include "otpgate/domain/return_targets.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace return_targets_test {

const ReturnTargets kTargets({"Sign-in", "https://login.example.com"},
                             {{"Wiki", "https://wiki.example.com"}, {"Intranet", "http://intra:8080"}});

// Whatever somebody may put into a link to get a visitor elsewhere, to a script, or to another port.
const std::vector<std::string> kTricks = {
    "",
    " ",
    "https://evil.example",
    "http://wiki.example.com",
    "http://wiki.example.com/",
    "ftp://wiki.example.com/",
    "//evil.example",
    "//wiki.example.com",
    "///evil.example",
    "////evil.example/..",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https:/\\evil.example",
    "https://wiki.example.com.evil.example",
    "https://wiki.example.com.evil.example/",
    "https://wiki.example.comevil.example",
    "https://wiki.example.com-evil.example",
    "https://wiki.example.com@evil.example",
    "https://wiki.example.com:@evil.example",
    "https://wiki.example.com:443@evil.example/",
    "https://wiki.example.com%40evil.example",
    "https://wiki.example.com%2fevil.example",
    "https://wiki.example.com%00.evil.example",
    "https://wiki.example.com\\@evil.example",
    "https://wiki.example.com\\.evil.example",
    "https://wiki.example.com;evil.example",
    "https://wiki.example.com,evil.example",
    "https://wiki.example.com&evil.example",
    "https://wiki.example.com:8443/",
    "https://wiki.example.com:443/",
    "https://wiki.example.com.",
    "https://wiki.example.com./",
    "https://evil.example/https://wiki.example.com/",
    "https://evil.example?https://wiki.example.com/",
    "https://evil.example#https://wiki.example.com/",
    "https://user@wiki.example.com/",
    "https://user:secret@wiki.example.com/",
    "https://evil.example\\@wiki.example.com/",
    "https://sub.wiki.example.com/",
    "https://WIKI.EXAMPLE.COM/",
    "HTTPS://wiki.example.com/",
    "https://wiki\xef\xbc\x8e"
    "example.com/",  // a full-width dot
    "https://wiki.ex\xc3\xa4mple.com/",
    "https://wiki.example\xe3\x80\x82"
    "com/",
    "https://wiki.example.com/\xe2\x80\xae",
    "https://wiki.example.com/ x",
    "https://wiki.example.com/\nSet-Cookie:a=b",
    "https://wiki.example.com/\"onload=\"x",
    "https://wiki.example.com/<script>",
    "https://wiki.example.com/^",
    "https://wiki.example.com/`",
    "https://wiki.example.com/{x}",
    "https://wiki.example.com\t/",
    "https://wiki.example.com\x7f",
    "http://intra:80800/",
    "http://intra:8080@evil.example/",
    "http://intra/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "javascript://wiki.example.com/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://wiki.example.com/x",
    "view-source:https://wiki.example.com/",
    "wiki.example.com",
    "login.example.com/",
    "page.html",
    "./page",
    "../page",
    "?return_to=//evil.example",
    "#",
    "@evil.example",
    "%2f%2fevil.example",
};

class ReturnTargetsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ReturnTargetsTest);
    CPPUNIT_TEST(knowsItsApplications);
    CPPUNIT_TEST(takesAPathOfItsOwnHost);
    CPPUNIT_TEST(isNotTricked);
    CPPUNIT_TEST(whatItGivesIsAlwaysOfOneOfTheOrigins);
    CPPUNIT_TEST(isNotLongerThanAHeaderMayBe);
    CPPUNIT_TEST_SUITE_END();

    static std::string found(std::string_view text) {
        const auto target = kTargets.find(text);
        return target ? target->name + " " + target->url : "nothing";
    }

    void knowsItsApplications() {
        for (const char* url : {"https://wiki.example.com", "https://wiki.example.com/",
                                "https://wiki.example.com/a/b?c=d#e", "https://wiki.example.com?q=%C3%A4",
                                "https://wiki.example.com#top", "https://wiki.example.com/@user:1/;a=(b)!*'$&,[x]~"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"Wiki "} + url, found(url));
        }
        CPPUNIT_ASSERT_EQUAL(std::string{"Intranet http://intra:8080/x"}, found("http://intra:8080/x"));
    }

    void takesAPathOfItsOwnHost() {
        CPPUNIT_ASSERT_EQUAL(std::string{"Sign-in https://login.example.com/private/?a=b"}, found("/private/?a=b"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Sign-in https://login.example.com/"}, found("/"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Sign-in https://login.example.com/x"}, found("https://login.example.com/x"));
        // Two slashes further on are of the path.
        CPPUNIT_ASSERT_EQUAL(std::string{"Sign-in https://login.example.com/.//evil.example"},
                             found("/.//evil.example"));
    }

    void isNotTricked() {
        CPPUNIT_ASSERT(kTricks.size() >= 60);
        for (const std::string& trick : kTricks)
            CPPUNIT_ASSERT_EQUAL_MESSAGE(trick, std::string{"nothing"}, found(trick));
        CPPUNIT_ASSERT_EQUAL(std::string{"nothing"}, found(std::string("/a\0b", 4)));
    }

    // Every short text of what a URL's beginning is made of.
    void whatItGivesIsAlwaysOfOneOfTheOrigins() {
        const std::vector<std::string> pieces = {"https:",       "/", "//", "\\", "@",  ":",   "wiki.example.com",
                                                 "evil.example", "?", "#",  ".",  "\t", "%2f", "http://intra:8080"};
        const auto check = [](const std::string& text) {
            const auto target = kTargets.find(text);
            if (!target) return;
            const std::string& url = target->url;
            const bool isGood = [&] {
                for (const char* origin :
                     {"https://login.example.com", "https://wiki.example.com", "http://intra:8080"}) {
                    const std::string begin{origin};
                    if (!url.starts_with(begin)) continue;
                    if (url == begin || std::string{"/?#"}.find(url[begin.size()]) != std::string::npos) return true;
                }
                return false;
            }();
            CPPUNIT_ASSERT_MESSAGE(text + " -> " + url, isGood && url.find('\\') == std::string::npos);
        };
        for (const auto& a : pieces)
            for (const auto& b : pieces)
                for (const auto& c : pieces)
                    for (const auto& d : pieces) check(a + b + c + d);
    }

    void isNotLongerThanAHeaderMayBe() {
        CPPUNIT_ASSERT(kTargets.find("/" + std::string(3999, 'a')));
        CPPUNIT_ASSERT(!kTargets.find("/" + std::string(4000, 'a')));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReturnTargetsTest);

}  // namespace return_targets_test
}  // namespace otpgate::domain
