/* Making the SSL_CTX of a listener, by BCP 195 (RFC 9325): TLS 1.2 with ephemeral keys and AEAD
 * alone, or 1.3; no renegotiation, no compression, no resumption; ALPN is answered or refused. */
// SPDX-License-Identifier: Apache-2.0
#include "service/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "service/tls_peer.h"

#define CIPHERS_1_2                                                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SECURITY_LEVEL 2 /* keys of 112 bits: RSA from 2048, no SHA-1 */

struct making {
    const struct config_listener *config;
    struct tls *tls;
    struct tls_fault *fault; /* its member: whose file is being read */
    STACK_OF(X509_INFO) * authorities;
};

static bool refuse(struct making *making, const char *path, const char *phrase) {
    snprintf(making->fault->why, sizeof making->fault->why, "%.200s: %s", path, phrase);
    ERR_clear_error();
    return false;
}

/* ---- protocol */

/* RFC 7301: without a protocol in common the handshake fails, so that nobody speaks past us
 * (ALPACA). Whoever sends no ALPN at all gets HTTP/1.1. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                   const unsigned char *offered, unsigned int offered_size, void *context) {
    static const unsigned char both[] = "\x02h2\x08http/1.1", http1[] = "\x08http/1.1";
    bool http2 = context != NULL;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_size, http2 ? both : http1,
                              (http2 ? sizeof both : sizeof http1) - 1, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void set_protocol(const struct making *making, bool http2) {
    int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
    static int with_http2;
    SSL_CTX *context = making->tls->context;
    const struct config_listener *config = making->config;
    uint64_t min = config->tls_min != TLS_DEFAULT              ? config->tls_min
                   : config->kind == (uint64_t)LISTENER_MUTUAL ? TLS_1_3
                                                               : TLS_1_2;
    SSL_CTX_set_min_proto_version(context, min == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    ASSERT(SSL_CTX_set_ciphersuites(context, SUITES_1_3) == 1);
    ASSERT(SSL_CTX_set_cipher_list(context, CIPHERS_1_2) == 1);
    ASSERT(SSL_CTX_set1_groups(context, groups, sizeof groups / sizeof *groups) == 1);
    ASSERT(SSL_CTX_set_session_id_context(context, (const unsigned char *)"consentd", 8) == 1);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, http2 ? &with_http2 : NULL);
}

/* ---- what we show */

static int64_t seconds_of(const ASN1_TIME *time) {
    struct tm parts;
    return time != NULL && ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static bool load_certificate(struct making *making) {
    const char *path = making->config->cert_file;
    making->fault->member = "certFile";
    errno = 0;
    if (SSL_CTX_use_certificate_chain_file(making->tls->context, path) != 1)
        return refuse(making, path,
                      errno != 0 ? strerror(errno) : "is not a certificate chain in PEM");
    X509 *own = SSL_CTX_get0_certificate(making->tls->context);
    making->tls->expires_s = seconds_of(X509_get0_notAfter(own));
    return true;
}

static bool load_key(struct making *making) {
    const char *path = making->config->key_file;
    struct stat stat_of;
    making->fault->member = "keyFile";
    if (stat(path, &stat_of) != 0)
        return refuse(making, path, strerror(errno));
    if ((stat_of.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return refuse(making, path,
                      "is open to others: its mode must give them nothing, and its group no more "
                      "than reading");
    errno = 0;
    if (SSL_CTX_use_PrivateKey_file(making->tls->context, path, SSL_FILETYPE_PEM) != 1) {
        unsigned long error = ERR_peek_last_error();
        bool mismatch = ERR_GET_LIB(error) == ERR_LIB_X509;
        return refuse(making, path,
                      mismatch     ? "is not the key of the certificate in certFile"
                      : errno != 0 ? strerror(errno)
                                   : "is not a private key in PEM without password");
    }
    return SSL_CTX_check_private_key(making->tls->context) == 1 ||
           refuse(making, path, "is not the key of the certificate in certFile");
}

/* ---- whom we believe */

static bool is_root(X509 *x509) {
    return X509_check_ca(x509) != 0 && X509_check_issued(x509, x509) == X509_V_OK;
}

/* What a PEM file has. Caller frees. */
static STACK_OF(X509_INFO) * read_file(struct making *making, const char *path) {
    errno = 0;
    BIO *file = BIO_new_file(path, "r");
    if (file == NULL) {
        (void)refuse(making, path, errno != 0 ? strerror(errno) : "cannot be read");
        return NULL;
    }
    STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(file, NULL, NULL, NULL);
    BIO_free(file);
    if (all == NULL)
        (void)refuse(making, path, "is not PEM");
    return all;
}

static bool load_authorities(struct making *making) {
    const char *path = making->config->client_ca_file;
    X509_STORE *store = SSL_CTX_get_cert_store(making->tls->context);
    int roots = 0;
    making->fault->member = "clientCaFile";
    making->authorities = read_file(making, path);
    for (int i = 0; i < sk_X509_INFO_num(making->authorities); i++) {
        X509 *x509 = sk_X509_INFO_value(making->authorities, i)->x509;
        if (x509 == NULL)
            continue;
        roots += is_root(x509);
        X509_STORE_add_cert(store, x509);
        SSL_CTX_add_client_CA(making->tls->context, x509);
    }
    ERR_clear_error();
    return making->authorities != NULL &&
           (roots > 0 || refuse(making, path, "holds no root certificate of an authority"));
}

static bool is_list_of(const X509_CRL *crl, const X509 *authority) {
    return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(authority)) == 0;
}

/* A list of an authority that we know must be signed by it; those that clients bring are judged
 * with their chain. */
static bool take_list(struct making *making, X509_CRL *crl) {
    int64_t next_s = seconds_of(X509_CRL_get0_nextUpdate(crl));
    for (int i = 0; i < sk_X509_INFO_num(making->authorities); i++) {
        X509 *authority = sk_X509_INFO_value(making->authorities, i)->x509;
        if (authority != NULL && is_list_of(crl, authority) &&
            X509_CRL_verify(crl, X509_get0_pubkey(authority)) != 1)
            return refuse(making, making->config->crl_file,
                          "holds a list that is not signed by its authority");
    }
    if (next_s != 0 && (making->tls->crl_next_s == 0 || next_s < making->tls->crl_next_s))
        making->tls->crl_next_s = next_s;
    X509_STORE_add_crl(SSL_CTX_get_cert_store(making->tls->context), crl);
    return true;
}

/* Without a list of it, nobody whom an authority vouches for could come in. */
static bool has_list(struct making *making, const STACK_OF(X509_INFO) * lists, X509 *authority) {
    char name[200], phrase[240];
    for (int i = 0; i < sk_X509_INFO_num(lists); i++) {
        const X509_CRL *crl = sk_X509_INFO_value(lists, i)->crl;
        if (crl != NULL && is_list_of(crl, authority))
            return true;
    }
    X509_NAME_oneline(X509_get_subject_name(authority), name, sizeof name);
    snprintf(phrase, sizeof phrase, "holds no list of %s", name);
    return refuse(making, making->config->crl_file, phrase);
}

static bool load_revocations(struct making *making) {
    const char *path = making->config->crl_file;
    making->fault->member = "crlFile";
    if (path == NULL)
        return true;
    STACK_OF(X509_INFO) *lists = read_file(making, path);
    bool good = lists != NULL;
    for (int i = 0; good && i < sk_X509_INFO_num(lists); i++) {
        X509_CRL *crl = sk_X509_INFO_value(lists, i)->crl;
        good = crl == NULL || take_list(making, crl);
    }
    for (int i = 0; good && i < sk_X509_INFO_num(making->authorities); i++) {
        X509 *authority = sk_X509_INFO_value(making->authorities, i)->x509;
        good = authority == NULL || has_list(making, lists, authority);
    }
    sk_X509_INFO_pop_free(lists, X509_INFO_free);
    X509_STORE_set_flags(SSL_CTX_get_cert_store(making->tls->context),
                         X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    ERR_clear_error();
    return good;
}

/* One is asked for; what to think of it, or of none, tls_peer.c decides. */
static void set_verification(const struct making *making) {
    making->tls->required = !making->config->certificate_optional;
    SSL_CTX_set_verify(making->tls->context, SSL_VERIFY_PEER, NULL);
}

enum status tls_open(const struct config_listener *config, bool http2, struct tls **out,
                     struct tls_fault *fault) {
    static _Atomic(uint64_t) generations;
    struct tls *tls = mem_alloc_zeroed(1, sizeof *tls);
    struct making making = {config, tls, fault, NULL};
    tls->generation = atomic_fetch_add(&generations, 1) + 1;
    atomic_store(&tls->references, 1);
    tls->context = SSL_CTX_new(TLS_server_method());
    ASSERT(tls->context != NULL);
    set_protocol(&making, http2);
    tls_peer_watch(tls);
    bool good = load_certificate(&making) && load_key(&making);
    if (good && config->kind == (uint64_t)LISTENER_MUTUAL) {
        set_verification(&making);
        good = load_authorities(&making) && load_revocations(&making);
        sk_X509_INFO_pop_free(making.authorities, X509_INFO_free);
    }
    if (!good) {
        tls_unref(tls);
        return STATUS_INVALID_PARAMETER;
    }
    *out = tls;
    return STATUS_OK;
}

struct tls *tls_ref(struct tls *tls) {
    atomic_fetch_add(&tls->references, 1);
    return tls;
}

void tls_unref(struct tls *tls) {
    if (tls == NULL || atomic_fetch_sub(&tls->references, 1) != 1)
        return;
    SSL_CTX_free(tls->context);
    mem_free(tls);
}
