/* Addresses and networks of configured peers: "10.1.0.0/16", "fd00::/8", "127.0.0.1". Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_NETWORK_H
#define SERVICE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"

/* An IPv6 address; one of IPv4 in its mapped form. Zero bytes: none. */
struct network_address {
    uint8_t bytes[16];
};
struct network {
    struct network_address address;
    unsigned bits; /* of it that count */
};

/* False when text is no address with or without a prefix length, or has bits set behind it: then
 * the network is not the one that its writer had in mind. */
bool network_parse(struct span text, struct network *out);
/* Of a peer; none for anything but IPv4 and IPv6. */
struct network_address network_address_of(const struct sockaddr_storage *address);
bool network_has(const struct network *network, const struct network_address *address);

#endif
