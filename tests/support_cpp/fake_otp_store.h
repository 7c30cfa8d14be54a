// Answers what the test set, and keeps what it was asked.
#pragma once

#include "otpgate/domain/otp_store.h"

#include <functional>
#include <vector>

namespace otpgate::test {

class FakeOtpStore final : public domain::OtpStore {
public:
    domain::OtpRequestResult request(const domain::NewOtpRequest& request) override {
        requests.push_back(request);
        if (answer) return answer(request);
        return {domain::OtpRequestResult::Outcome::Accepted,
                hits,
                request.id,
                request.expiresAt,
                false,
                "de,fr",
                means,
                request.purpose};
    }
    domain::OtpVerifyResult verify(const domain::OtpVerification& verification) override {
        verifications.push_back(verification);
        if (isLost) throw domain::OutcomeUnknown("as told");
        return verifyResult;
    }
    std::optional<Uuid> findNewest(const domain::Destination& destination, domain::Purpose purpose,
                                   const domain::ShownDevice& device, Timestamp since, Timestamp /*now*/) override {
        searches.push_back({destination, purpose, device, since});
        return newest;
    }

    std::optional<domain::OpenedLink> findOpened(const Uuid& /*otpId*/) override { return opened; }

    struct Search {
        domain::Destination destination;
        domain::Purpose purpose;
        domain::ShownDevice device;
        Timestamp since;
    };
    domain::Means means = domain::Means::Code;  // that it sends
    std::string hits;                           // of the destination's bucket, where the request is accepted
    std::function<domain::OtpRequestResult(const domain::NewOtpRequest&)> answer;
    std::vector<domain::NewOtpRequest> requests;
    domain::OtpVerifyResult verifyResult;
    bool isLost = false;  // the answer to each guess
    std::vector<domain::OtpVerification> verifications;
    std::optional<Uuid> newest;
    std::optional<domain::OpenedLink> opened;
    std::vector<Search> searches;
};

}  // namespace otpgate::test
