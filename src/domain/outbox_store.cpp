#include "otpgate/domain/outbox_store.h"

namespace otpgate::domain {

AuditEvent eventOf(const FinishedMessage& finished) {
    const bool isCode = carriesSecret(finished.message.kind);
    switch (finished.end) {
    case MessageEnd::Sent: return isCode ? AuditEvent::OtpSent : AuditEvent::NoticeSent;
    case MessageEnd::GivenUp:
    case MessageEnd::Discarded: break;
    }
    return isCode ? AuditEvent::OtpSendFailed : AuditEvent::NoticeSendFailed;
}

std::string_view toString(CodeState state) {
    switch (state) {
    case CodeState::Good: return "its code is good";
    case CodeState::Used: return "its code has been used";
    case CodeState::Voided: return "its code is void, because a newer one was asked for or the account has changed";
    case CodeState::Exhausted: return "its code has no tries left";
    }
    return {};
}

CodeState codeStateOf(const OutboxMessage& message, const std::optional<CodeFacts>& facts, Timestamp now) {
    if (!carriesSecret(message.kind) || message.isDiscarded) return CodeState::Good;
    const bool isOfVerificationService = message.codeLength != 0;
    if (!facts) return isOfVerificationService ? CodeState::Good : CodeState::Voided;
    if (facts->consumedAt) return CodeState::Used;
    if (!facts->hasTriesLeft) return CodeState::Exhausted;
    return facts->expiresAt <= now ? CodeState::Voided : CodeState::Good;
}

}  // namespace otpgate::domain
