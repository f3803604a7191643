/* A verifier with one issuer and a key of each kind, and how to present tokens to it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_RIG_H
#define TESTS_UNIT_SUPPORT_RIG_H

#include "tests/unit/support_jwk.h"

#define NOW_S INT64_C(1711929600) /* 2024-04-01T00:00:00Z */
#define NOW_MS (NOW_S * 1000)
#define CLIENT "https://directory.example/app/1"
/* The members of a token that is good for an hour after NOW_S. */
#define CLAIMS                                                                                   \
    "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1711933200,\"client_id\":\"" CLIENT \
    "\""
#define PAYLOAD "{" CLAIMS ",\"scope\":\"consents:read\"}"
#define ES256_HEADER "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"ec\"}"

/* One issuer with a key of each kind: kid "ec" ES256, "rsa" PS256, "rs" RS256, "ed" EdDSA. */
struct rig {
    EVP_PKEY *ec, *rsa, *ed;
    struct auth_keys *keys;
    struct auth_loop *loop;
    const struct auth_certificate *certificate; /* of the connection; NULL: none */
    unsigned peers; /* so that no test meets the limit of failures unless it wants to */
};

UNUSED static char *rig_set(const struct rig *rig) {
    struct buffer out = {0};
    char *ec = jwk_of(rig->ec, ",\"kid\":\"ec\",\"alg\":\"ES256\",\"use\":\"sig\"");
    char *rsa = jwk_of(rig->rsa, ",\"kid\":\"rsa\",\"alg\":\"PS256\"");
    char *rs = jwk_of(rig->rsa, ",\"kid\":\"rs\",\"alg\":\"RS256\"");
    char *ed = jwk_of(rig->ed, ",\"kid\":\"ed\",\"alg\":\"EdDSA\"");
    buffer_append_format(&out, "{\"keys\":[%s,%s,%s,%s]}", ec, rsa, rs, ed);
    free(ec);
    free(rsa);
    free(rs);
    free(ed);
    return text_take(&out);
}

UNUSED static int rig_init(void **state) {
    static struct rig rig;
    struct auth_issuer config = issuer_config();
    config.allow_rs256 = true;
    rig.ec = EVP_EC_gen("P-256");
    rig.rsa = EVP_RSA_gen(2048);
    rig.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_true(rig.ec != NULL && rig.rsa != NULL && rig.ed != NULL);
    rig.keys = keys_from(config, rig_set(&rig));
    rig.loop = auth_loop_new();
    *state = &rig;
    return 0;
}

UNUSED static int rig_release(void **state) {
    struct rig *rig = *state;
    auth_loop_free(rig->loop);
    auth_keys_free(rig->keys);
    EVP_PKEY_free(rig->ec);
    EVP_PKEY_free(rig->rsa);
    EVP_PKEY_free(rig->ed);
    return 0;
}

/* Presents an Authorization header from memory of exactly its size, so that the sanitizer sees a
 * byte read past its end. */
UNUSED static enum status rig_present(struct rig *rig, const char *header, size_t size,
                                      int64_t now_ms, struct auth_principal *out,
                                      struct auth_refusal *refusal) {
    char peer[32];
    char *exact = malloc(size != 0 ? size : 1);
    memcpy(exact, header, size);
    int peer_size = snprintf(peer, sizeof peer, "192.0.2.%u", rig->peers++);
    const struct auth_credentials credentials = {.authorization = span_of(exact, size),
                                                 .peer = span_of(peer, (size_t)peer_size),
                                                 .certificate = rig->certificate,
                                                 .now_ms = now_ms};
    enum status status = auth_verify(rig->loop, rig->keys, &credentials, out, refusal);
    free(exact);
    return status;
}

UNUSED static enum status rig_token(struct rig *rig, const char *token, int64_t now_ms,
                                    struct auth_principal *out, struct auth_refusal *refusal) {
    struct buffer header = {0};
    buffer_append_format(&header, "Bearer %s", token);
    enum status status = rig_present(rig, header.data, header.size, now_ms, out, refusal);
    buffer_release(&header);
    return status;
}

UNUSED static char *rig_sign(const struct rig *rig, const char *payload) {
    return token_sign(&(struct signer){.key = rig->ec}, ES256_HEADER, payload);
}

/* The token, which is freed, is accepted; returns its principal. */
UNUSED static struct auth_principal rig_accept(struct rig *rig, char *token) {
    struct auth_principal principal = {0};
    struct auth_refusal refusal = {0};
    if (rig_token(rig, token, NOW_MS, &principal, &refusal) != STATUS_OK) {
        fail_msg("%s", refusal.why);
    }
    free(token);
    return principal;
}

/* The token, which is freed, is refused with this sentence. */
UNUSED static void rig_refuse(struct rig *rig, char *token, const char *why) {
    struct auth_principal principal = {.scopes = 77};
    struct auth_refusal refusal = {0};
    enum status status = rig_token(rig, token, NOW_MS, &principal, &refusal);
    free(token);
    assert_int_equal(status, STATUS_UNAUTHENTICATED);
    assert_false(refusal.missing);
    assert_string_equal(refusal.why, why);
    assert_int_equal(principal.scopes, 77); /* outputs are untouched */
}

#define assert_span(value, text)                                 \
    do {                                                         \
        struct span actual_ = (value);                           \
        assert_int_equal(actual_.size, strlen(text));            \
        assert_memory_equal(actual_.data, (text), actual_.size); \
    } while (0)

#endif
