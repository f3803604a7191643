/* Full TLS 1.3 handshakes with client certificates, in two ways:
 *
 * handshakes limit DIR SECONDS   client and server in memory, nothing but OpenSSL. What the
 * server's side alone costs is the limit of the machine. handshakes drive DIR PORT N    N
 * connections to a service, one after another, each with one request; stops with an error when one
 * does not answer 200.
 *
 * DIR has ca.pem, ca.crl, server.pem, server.key, client.pem and client.key. Prints one JSON
 * object.
 */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *directory;

_Noreturn static void fail(const char *what) {
    fprintf(stderr, "handshakes: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void check(bool good, const char *what) {
    if (!good)
        fail(what);
}

static const char *path(const char *name) {
    static char text[4096];
    snprintf(text, sizeof text, "%s/%s", directory, name);
    return text;
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show(SSL_CTX *context, const char *certificate, const char *key) {
    check(SSL_CTX_use_certificate_chain_file(context, path(certificate)) == 1, certificate);
    check(SSL_CTX_use_PrivateKey_file(context, path(key), SSL_FILETYPE_PEM) == 1, key);
    check(SSL_CTX_load_verify_locations(context, path("ca.pem"), NULL) == 1, "ca.pem");
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/* As service/tls.c has it. */
static SSL_CTX *server_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    show(context, "server.pem", "server.key");
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    check(X509_LOOKUP_load_file(X509_STORE_add_lookup(store, X509_LOOKUP_file()), path("ca.crl"),
                                X509_FILETYPE_PEM) == 1,
          "ca.crl");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return context;
}

static SSL_CTX *client_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    show(context, "client.pem", "client.key");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

/* Seconds of the processor that the server's side took. */
static double in_memory(SSL_CTX *server_side, SSL_CTX *client_side) {
    SSL *server = SSL_new(server_side), *client = SSL_new(client_side);
    BIO *one, *other;
    double spent = 0;
    check(BIO_new_bio_pair(&one, 65536, &other, 65536) == 1, "a pair of buffers");
    SSL_set_bio(server, one, one);
    SSL_set_bio(client, other, other);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int turn = 0; turn < 8 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client));
         turn++) {
        SSL_do_handshake(client);
        double begun = now(CLOCK_THREAD_CPUTIME_ID);
        SSL_do_handshake(server);
        spent += now(CLOCK_THREAD_CPUTIME_ID) - begun;
    }
    check(SSL_is_init_finished(server) && SSL_get_verify_result(server) == X509_V_OK, "handshake");
    SSL_free(server);
    SSL_free(client);
    return spent;
}

static void limit(double seconds) {
    SSL_CTX *server = server_context(), *client = client_context();
    double end = now(CLOCK_MONOTONIC) + seconds, spent = 0;
    unsigned count = 0;
    for (; now(CLOCK_MONOTONIC) < end; count++)
        spent += in_memory(server, client);
    printf("{\"handshakes\": %u, \"per_core\": %.1f}\n", count, count / spent);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void one_request(SSL_CTX *context, const struct sockaddr_in *address) {
    static const char ask[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0,
          "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* no wait between writes */
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    check(SSL_connect(ssl) == 1, "handshake");
    check(SSL_write(ssl, ask, sizeof ask - 1) > 0, "request");
    int got = SSL_read(ssl, answer, sizeof answer);
    check(got > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0, "an answer of 200");
    SSL_free(ssl);
    close(fd);
}

static void drive(unsigned port, unsigned count) {
    SSL_CTX *context = client_context();
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    double begun = now(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < count; i++)
        one_request(context, &address);
    printf("{\"handshakes\": %u, \"seconds\": %.3f}\n", count, now(CLOCK_MONOTONIC) - begun);
    SSL_CTX_free(context);
}

int main(int count, char **arguments) {
    check(count >= 4, "see the head of bench/handshakes.c");
    directory = arguments[2];
    if (strcmp(arguments[1], "limit") == 0)
        limit(strtod(arguments[3], NULL));
    else if (strcmp(arguments[1], "drive") == 0 && count == 5)
        drive((unsigned)strtoul(arguments[3], NULL, 10), (unsigned)strtoul(arguments[4], NULL, 10));
    else
        fail("limit or drive");
    return 0;
}
