/* Reading and matching networks. */
// SPDX-License-Identifier: Apache-2.0
#include "service/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool read_bits(struct span text, unsigned most, unsigned *out) {
    unsigned bits = 0;
    if (text.size == 0 || text.size > 3 || (text.data[0] == '0' && text.size > 1))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = bits;
    return bits <= most;
}

static bool is_bit_set(const struct network_address *address, unsigned bit) {
    return (address->bytes[bit / 8] & (0x80 >> bit % 8)) != 0;
}

bool network_parse(struct span text, struct network *out) {
    char host[INET6_ADDRSTRLEN + 1];
    struct network made = {.bits = 128};
    const char *slash = text.size != 0 ? memchr(text.data, '/', text.size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - text.data) : text.size;
    unsigned most = 32;
    if (size >= sizeof host || (size != 0 && memchr(text.data, '\0', size) != NULL))
        return false;
    snprintf(host, sizeof host, "%.*s", (int)size, size != 0 ? text.data : "");
    memcpy(made.address.bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, host, made.address.bytes + 12) != 1) {
        most = 128;
        if (inet_pton(AF_INET6, host, made.address.bytes) != 1)
            return false;
    }
    if (slash != NULL) {
        if (!read_bits(span_of(slash + 1, text.size - size - 1), most, &made.bits))
            return false;
        made.bits += 128 - most;
    }
    for (unsigned bit = made.bits; bit < 128; bit++)
        if (is_bit_set(&made.address, bit))
            return false;
    *out = made;
    return true;
}

struct network_address network_address_of(const struct sockaddr_storage *address) {
    struct network_address made = {{0}};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        memcpy(made.bytes, mapped, sizeof mapped);
        memcpy(made.bytes + 12, &v4->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        memcpy(made.bytes, &v6->sin6_addr, 16);
    }
    return made;
}

bool network_has(const struct network *network, const struct network_address *address) {
    unsigned whole = network->bits / 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    for (unsigned bit = 8 * whole; bit < network->bits; bit++)
        if (is_bit_set(&network->address, bit) != is_bit_set(address, bit))
            return false;
    return true;
}
