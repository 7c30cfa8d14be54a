// Ends of sessions that applications are to be told of (OpenID Connect Back-Channel Logout 1.0): what waits in
// oidc_logouts, for a NoticePoster.
#pragma once

#include "notice_poster.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_provider.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/domain/process_counts.h"
#include "otpgate/domain/signing_keys.h"
#include "settings.h"

#include <map>
#include <memory>

namespace otpgate {

class LogoutNotices final : public NoticeSource {
public:
    // What it is given outlives it.
    LogoutNotices(const Settings& settings, db::Database& database, const crypto::KeyRing& ring, const Clock& clock,
                  Random& random, Logger& log);

    std::string_view name() const override { return "sign-outs"; }
    delivery::HttpSettings http() const override;
    std::vector<Notice> take(const std::set<std::string>& busy) override;
    void finish(const Notice& notice, const std::optional<PostAnswer>& answer) override;

private:
    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::OidcStore> store_;
    std::unique_ptr<domain::SigningKeyStore> accessKeyStore_;
    std::unique_ptr<domain::SigningKeyStore> idKeyStore_;
    domain::SigningKeys accessKeys_;
    domain::SigningKeys idKeys_;
    domain::ProcessCounts counts_;  // it makes no grants
    domain::OidcProvider provider_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;
    std::map<std::string, domain::LogoutNotice> taken_;  // by Notice::id
};

}  // namespace otpgate
