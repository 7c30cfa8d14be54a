// Whom a notice goes to, and what it says of the device.
#include "otpgate/domain/notice.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/people.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace notice_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kMail = "ada@example.org";
const std::string kPhone = "+4366012345678";

class NoticeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(NoticeTest);
    CPPUNIT_TEST(draftsWhatTheSettingsWant);
    CPPUNIT_TEST(makesAMessageOfADraft);
    CPPUNIT_TEST(tellsByMailWhereItIsProvedOrTheOnlyAddress);
    CPPUNIT_TEST(tellsByTelephoneOnlyWhereThatIsAllowed);
    CPPUNIT_TEST(tellsTheOldAddressAndTheNewOneOfAChange);
    CPPUNIT_TEST(tellsTheOtherChannelWhereThereWasNoOldAddress);
    CPPUNIT_TEST(tellsTheOtherChannelWhereTheOldOneMayNotBeTold);
    CPPUNIT_TEST(describesADeviceByWhatItSays);
    CPPUNIT_TEST(describesABrowserInTwoWords);
    CPPUNIT_TEST(describesAnAgentThatItDoesNotKnowByItsOwnWords);
    CPPUNIT_TEST(leavesNothingThatCouldBeALinkOrALine);
    CPPUNIT_TEST(cutsBetweenCharacters);
    CPPUNIT_TEST_SUITE_END();

    static std::string described(const std::string& name, const std::string& platform = "",
                                 const std::string& agent = "") {
        return describeDevice({"", platform, "", name}, agent);
    }
    static std::string recipient(const User& user, NoticeBySms bySms) {
        const auto destination = noticeRecipient(user, bySms);
        return destination ? destination->value() : "nobody";
    }
    static std::string told(const User& before, const std::string& current, NoticeBySms bySms) {
        std::string text;
        for (const auto& destination : changeRecipients(before, Destination::parse(current).value(), bySms)) {
            text += (text.empty() ? "" : " ") + destination.value();
        }
        return text;
    }
    static User person(std::optional<std::string> email, bool emailVerified, std::optional<std::string> phone = {},
                       bool phoneVerified = false) {
        User user;
        user.email = std::move(email);
        user.emailVerified = emailVerified;
        user.phoneNumber = std::move(phone);
        user.phoneVerified = phoneVerified;
        return user;
    }

    void draftsWhatTheSettingsWant() {
        test::CountingRandom random;
        const auto isDrafted = [&](const NoticeSettings& settings, MessageKind kind) {
            return draftNotice(settings, {kind, "", {}, {}, {}}, random).has_value();
        };
        NoticeSettings none;
        none.newSignIn = none.passwordChanged = none.addressChanged = false;
        for (const auto kind : {MessageKind::NewSignIn, MessageKind::PasswordChanged, MessageKind::AddressChanged}) {
            CPPUNIT_ASSERT(isDrafted({}, kind));
            CPPUNIT_ASSERT(!isDrafted(none, kind));
        }
        CPPUNIT_ASSERT(!isDrafted({}, MessageKind::Code));
    }

    void makesAMessageOfADraft() {
        test::CountingRandom random;
        test::FakeClock clock;
        NoticeSettings settings;
        settings.lifetime = 2h;
        const Client client{"192.0.2.7", "192.0.2.7", "x", "request-1"};
        const auto draft =
            draftNotice(settings, {MessageKind::PasswordChanged, "Firefox on Linux", client, clock.now(), 10s}, random);
        const auto message =
            makeNotice(draft.value(), Destination::parse(kMail).value(), test::readerOf("de-AT", "Europe/Vienna"));
        CPPUNIT_ASSERT(message.id == draft->id);
        CPPUNIT_ASSERT(message.kind == MessageKind::PasswordChanged);
        CPPUNIT_ASSERT(message.otpId == Uuid{});
        CPPUNIT_ASSERT_EQUAL(kMail, message.destination.value());
        CPPUNIT_ASSERT_EQUAL("de-AT"s, message.locale);
        CPPUNIT_ASSERT_EQUAL("Europe/Vienna"s, message.notice.timeZone);
        CPPUNIT_ASSERT_EQUAL("request-1"s, message.requestId);
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, message.notice.ipAddress);
        CPPUNIT_ASSERT_EQUAL("Firefox on Linux"s, message.notice.device);
        CPPUNIT_ASSERT(message.createdAt == clock.now());
        CPPUNIT_ASSERT(message.expiresAt == clock.now() + 2h);
        CPPUNIT_ASSERT(message.availableAt == clock.now() + 10s);
        CPPUNIT_ASSERT(!message.isDiscarded);
    }

    void tellsByMailWhereItIsProvedOrTheOnlyAddress() {
        for (const auto bySms : {NoticeBySms::Never, NoticeBySms::WhereNoMail}) {
            CPPUNIT_ASSERT_EQUAL(kMail, recipient(person(kMail, true), bySms));
            CPPUNIT_ASSERT_EQUAL(kMail, recipient(person(kMail, true, kPhone, true), bySms));
            CPPUNIT_ASSERT_EQUAL(kMail, recipient(person(kMail, false), bySms));
        }
    }

    void tellsByTelephoneOnlyWhereThatIsAllowed() {
        for (const auto& user : {person({}, false, kPhone, true), person(kMail, false, kPhone, true)}) {
            CPPUNIT_ASSERT_EQUAL("nobody"s, recipient(user, NoticeBySms::Never));
            CPPUNIT_ASSERT_EQUAL(kPhone, recipient(user, NoticeBySms::WhereNoMail));
        }
        CPPUNIT_ASSERT_EQUAL("nobody"s, recipient(User{}, NoticeBySms::WhereNoMail));
    }

    void tellsTheOldAddressAndTheNewOneOfAChange() {
        CPPUNIT_ASSERT_EQUAL(kMail + " new@example.org"s,
                             told(person(kMail, true, kPhone, true), "new@example.org", NoticeBySms::WhereNoMail));
        // One that nobody has proved may be a stranger's.
        CPPUNIT_ASSERT_EQUAL("new@example.org"s, told(person(kMail, false), "new@example.org", NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(kPhone + " +15550100"s,
                             told(person(kMail, true, kPhone, true), "+15550100", NoticeBySms::WhereNoMail));
    }

    void tellsTheOtherChannelWhereThereWasNoOldAddress() {
        CPPUNIT_ASSERT_EQUAL(kMail + " "s + kPhone, told(person(kMail, true), kPhone, NoticeBySms::WhereNoMail));
        CPPUNIT_ASSERT_EQUAL(kMail, told(person(kMail, true), kPhone, NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(kPhone, told(person(kMail, false), kPhone, NoticeBySms::WhereNoMail));
        CPPUNIT_ASSERT_EQUAL(kMail, told(person({}, false, kPhone, true), kMail, NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(kPhone + " "s + kMail,
                             told(person({}, false, kPhone, true), kMail, NoticeBySms::WhereNoMail));
    }

    void tellsTheOtherChannelWhereTheOldOneMayNotBeTold() {
        CPPUNIT_ASSERT_EQUAL(kMail, told(person(kMail, true, kPhone, true), "+15550100", NoticeBySms::Never));
        CPPUNIT_ASSERT_EQUAL(""s, told(person(kMail, false, kPhone, true), "+15550100", NoticeBySms::Never));
    }

    void describesADeviceByWhatItSays() {
        CPPUNIT_ASSERT_EQUAL("Ada's phone (ios)"s, described("Ada's phone", "ios", "okhttp/4.9"));
        CPPUNIT_ASSERT_EQUAL("Ada's phone"s, described("Ada's phone"));
        CPPUNIT_ASSERT_EQUAL("Firefox on Linux"s, described("Firefox on Linux", "web"));
        CPPUNIT_ASSERT_EQUAL("ios"s, described("", "ios", "okhttp/4.9"));
        CPPUNIT_ASSERT_EQUAL("okhttp 4.9"s, described("", "web", "okhttp/4.9"));
        CPPUNIT_ASSERT_EQUAL("Zoës Gerät 日本"s, described("Zoës Gerät 日本"));
        CPPUNIT_ASSERT_EQUAL(""s, described(""));
    }

    void describesABrowserInTwoWords() {
        const auto agent = [](const char* text) { return described("", "", "Mozilla/5.0 "s + text); };
        CPPUNIT_ASSERT_EQUAL("Firefox on Linux"s, agent("(X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"));
        CPPUNIT_ASSERT_EQUAL("Chrome on Windows"s,
                             agent("(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                                   "Gecko) Chrome/126.0.0.0 Safari/537.36"));
        CPPUNIT_ASSERT_EQUAL("Edge on Windows"s, agent("(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                                                       "Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"));
        CPPUNIT_ASSERT_EQUAL("Chrome on Android"s, agent("(Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like "
                                                         "Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"));
        CPPUNIT_ASSERT_EQUAL(
            "Safari on iPhone"s,
            agent("(iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "Version/17.5 Mobile/15E148 Safari/604.1"));
        CPPUNIT_ASSERT_EQUAL("Safari on macOS"s,
                             agent("(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, "
                                   "like Gecko) Version/17.5 Safari/605.1.15"));
    }

    void describesAnAgentThatItDoesNotKnowByItsOwnWords() {
        CPPUNIT_ASSERT_EQUAL("python-requests 2.28.1"s, described("", "", "python-requests/2.28.1"));
        CPPUNIT_ASSERT_EQUAL("curl 8.5"s, described("", "", "curl/8.5"));
    }

    // An owner trusts the message, so whoever signs in must not write in it.
    void leavesNothingThatCouldBeALinkOrALine() {
        CPPUNIT_ASSERT_EQUAL("Call https evil example now"s, described("Call\r\n\r\nhttps://evil.example/\t now\n"));
        CPPUNIT_ASSERT_EQUAL("b x b evil example"s, described("<b>x</b>@evil.example"));
        CPPUNIT_ASSERT_EQUAL("ab"s, described("a\u2028\u202e\u200b\u2066\u0085"
                                              "b"));
        CPPUNIT_ASSERT_EQUAL("x (i os)"s, described("x", "i\nos"));
    }

    void cutsBetweenCharacters() {
        std::string name;
        for (int i = 0; i < 50; ++i) name += "ä";
        CPPUNIT_ASSERT_EQUAL(std::size_t{80}, described(name).size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{79}, described("x" + name).size());
        CPPUNIT_ASSERT(described(name, name).size() <= 255);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NoticeTest);

}  // namespace notice_test
}  // namespace otpgate::domain
