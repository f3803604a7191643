/* Client-Cert of configured proxies. */
// SPDX-License-Identifier: Apache-2.0
#include "service/forwarded.h"

#include "service/config.h"

bool forwarded_is_header(struct span name) {
    return span_is(name, "client-cert") || span_is(name, "client-cert-chain");
}

bool forwarded_is_from_proxy(const struct config_listener *listener,
                             const struct network_address *peer) {
    if (listener == NULL)
        return false;
    for (uint32_t i = 0; i < listener->proxy_count; i++)
        if (network_has(&listener->proxies[i], peer))
            return true;
    return false;
}

enum tls_failure forwarded_read(const struct forwarded *forwarded, int64_t now_s,
                                struct arena *arena, const struct auth_certificate **out,
                                const char **why) {
    const struct auth_certificate *certificate;
    *out = NULL;
    if (forwarded->count == 0)
        return TLS_FAILURE_NONE;
    if (forwarded->count > 1) {
        *why = "the proxy sent more than one Client-Cert";
        return TLS_FAILURE_UNREADABLE;
    }
    if (auth_certificate_read_header(forwarded->client_cert, arena, &certificate, why) != STATUS_OK)
        return TLS_FAILURE_UNREADABLE;
    if (now_s < certificate->not_before_s)
        return TLS_FAILURE_NOT_YET_VALID;
    if (now_s >= certificate->not_after_s)
        return TLS_FAILURE_EXPIRED;
    *out = certificate;
    return TLS_FAILURE_NONE;
}
