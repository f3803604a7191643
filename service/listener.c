/* Binding and describing listening sockets. */
// SPDX-License-Identifier: Apache-2.0
#include "service/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

/* "[::1]:80" or "127.0.0.1:80" in two NUL-terminated parts. */
static bool split(struct span text, char host[LIMIT_URL], char port[8]) {
    const char *colon = text.size != 0 ? memrchr(text.data, ':', text.size) : NULL;
    if (colon == NULL || text.size >= LIMIT_URL)
        return false;
    struct span left = span_of(text.data, (size_t)(colon - text.data));
    struct span right = span_of(colon + 1, text.size - left.size - 1);
    if (left.size >= 2 && left.data[0] == '[' && left.data[left.size - 1] == ']')
        left = span_of(left.data + 1, left.size - 2);
    else if (left.size != 0 && memchr(left.data, ':', left.size) != NULL)
        return false;
    if (left.size == 0 || right.size == 0 || right.size > 5)
        return false;
    for (size_t i = 0; i < right.size; i++)
        if (right.data[i] < '0' || right.data[i] > '9')
            return false;
    snprintf(host, LIMIT_URL, "%.*s", SPAN_ARG(left));
    snprintf(port, 8, "%.*s", SPAN_ARG(right));
    return strtol(port, NULL, 10) <= 65535;
}

/* No names but localhost: what an address means must not depend on DNS. */
static bool resolve(struct span text, struct sockaddr_storage *out, socklen_t *size) {
    char host[LIMIT_URL], port[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!split(text, host, port) || strcmp(host, "*") == 0) /* glibc takes it for no host at all */
        return false;
    if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found) != 0)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

bool listener_is_loopback(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    }
    if (address->ss_family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
    }
    return address->ss_family == AF_UNIX;
}

void listener_format(const struct sockaddr_storage *address, char *out, size_t size,
                     uint16_t *out_port) {
    char host[INET6_ADDRSTRLEN] = "unknown";
    uint16_t port = 0;
    bool v6 = address->ss_family == AF_INET6;
    if (v6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        port = ntohs(in->sin6_port);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        port = ntohs(in->sin_port);
    }
    if (out_port != NULL) {
        *out_port = port;
        snprintf(out, size, "%s", host);
    } else {
        snprintf(out, size, v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
    }
}

static bool describe(struct listener *listener) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(listener->fd, (struct sockaddr *)&address, &size) != 0)
        return false;
    listener->loopback = listener_is_loopback(&address);
    listener_format(&address, listener->address, sizeof listener->address, NULL);
    return true;
}

enum status listener_check(struct span text, bool *loopback) {
    struct sockaddr_storage address;
    socklen_t size;
    if (!resolve(text, &address, &size))
        return STATUS_INVALID_PARAMETER;
    *loopback = listener_is_loopback(&address);
    return STATUS_OK;
}

enum status listener_open(struct span text, struct listener *out, char *why, size_t why_size) {
    struct listener made = {.fd = -1};
    struct sockaddr_storage address;
    socklen_t size;
    int on = 1;
    if (!resolve(text, &address, &size)) {
        snprintf(why, why_size, "%.*s is not HOST:PORT with an address as HOST", SPAN_ARG(text));
        return STATUS_INVALID_PARAMETER;
    }
    made.fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made.fd >= 0) {
        setsockopt(made.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (address.ss_family == AF_INET6)
            setsockopt(made.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (bind(made.fd, (struct sockaddr *)&address, size) == 0 &&
            listen(made.fd, SOMAXCONN) == 0 && describe(&made)) {
            *out = made;
            return STATUS_OK;
        }
    }
    snprintf(why, why_size, "cannot listen on %.*s: %s", SPAN_ARG(text), strerror(errno));
    if (made.fd >= 0)
        close(made.fd);
    return STATUS_INTERNAL;
}

enum status listener_inherit(struct listener *out, uint32_t max, uint32_t *count, char *why,
                             size_t why_size) {
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    *count = 0;
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid())
        return STATUS_OK;
    long passed = strtol(fds, NULL, 10);
    if (passed < 0 || passed > (long)max) {
        snprintf(why, why_size, "LISTEN_FDS passes %ld sockets, at most %u are taken", passed, max);
        return STATUS_INVALID_PARAMETER;
    }
    for (int i = 0; i < (int)passed; i++) {
        struct listener made = {.fd = FIRST_INHERITED + i};
        int type = 0;
        socklen_t size = sizeof type;
        if (getsockopt(made.fd, SOL_SOCKET, SO_ACCEPTCONN, &type, &size) != 0 || type == 0 ||
            !describe(&made)) {
            snprintf(why, why_size, "LISTEN_FDS: descriptor %d does not listen", made.fd);
            return STATUS_INVALID_PARAMETER;
        }
        fcntl(made.fd, F_SETFD, FD_CLOEXEC);
        fcntl(made.fd, F_SETFL, fcntl(made.fd, F_GETFL) | O_NONBLOCK);
        out[(*count)++] = made;
    }
    return STATUS_OK;
}

void listener_close(struct listener *listener) {
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}
