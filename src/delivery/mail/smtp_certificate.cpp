#include "delivery/mail/smtp_certificate.h"

#include "otpgate/base/text.h"

#include <openssl/bio.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kLongestText = 60;  // a reason has 200 bytes of the outbox, and must end with what to change

std::string fitForLog(std::string text) {
    text = printable(text);
    if (text.size() > kLongestText) text = text.substr(0, kLongestText - 3) + "...";
    return text;
}

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};

// What a printing function of OpenSSL writes.
template <typename Print>
std::string printed(Print print) {
    const std::unique_ptr<BIO, FreeBio> out(BIO_new(BIO_s_mem()));
    if (!out) return {};
    print(out.get());
    std::array<char, 512> buffer{};
    const int length = BIO_read(out.get(), buffer.data(), static_cast<int>(buffer.size()));
    return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : std::string();
}

std::string textOf(const X509_NAME* name) {
    return fitForLog(printed([name](BIO* out) { X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE); }));
}

std::string textOf(const ASN1_TIME* time) {
    return fitForLog(printed([time](BIO* out) { ASN1_TIME_print(out, time); }));
}

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string hostNamesOf(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::string list;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) continue;
        list += list.empty() ? "" : ", ";
        list.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                    static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    }
    return fitForLog(list);
}

}  // namespace

ServerCertificate ServerCertificate::of(const X509* certificate) {
    return {textOf(X509_get_subject_name(certificate)), textOf(X509_get_issuer_name(certificate)),
            hostNamesOf(certificate), textOf(X509_get0_notBefore(certificate)),
            textOf(X509_get0_notAfter(certificate))};
}

std::string certificateFailure(long verdict, const ServerCertificate& certificate, const CertificateOwner& owner) {
    const std::string of = "the certificate of " + owner.host;
    switch (verdict) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return of + " is signed by an unknown authority (" + certificate.issuer + "): name its file in " +
               owner.section + ".smtp_ca_file";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return of + " is for another name (" + (certificate.names.empty() ? certificate.subject : certificate.names) +
               "): set " + owner.section + ".smtp_host to the server's own name";
    case X509_V_ERR_CERT_HAS_EXPIRED: return of + " expired on " + certificate.validUntil + ": renew it on that server";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return of + " is not valid before " + certificate.validFrom + ": check the clocks of both hosts";
    default: return of + " is refused: " + X509_verify_cert_error_string(verdict);
    }
}

}  // namespace otpgate::delivery
