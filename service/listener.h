/* Listening sockets: bound here or inherited (LISTEN_FDS of systemd). Main thread. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_LISTENER_H
#define SERVICE_LISTENER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "base/status.h"

#define LISTENER_ADDRESS_SIZE (INET6_ADDRSTRLEN + 10) /* [address]:port and a NUL */

struct listener {
    int fd;
    bool loopback;
    char address[LISTENER_ADDRESS_SIZE]; /* as bound: with the actual port */
};

/* Binds HOST:PORT, HOST an address or localhost, IPv6 in brackets; port 0 lets the system choose.
 * On failure why says what. Caller closes with listener_close. */
MUST_CHECK enum status listener_open(struct span text, struct listener *out, char *why,
                                     size_t why_size);
/* Whether text is a valid HOST:PORT, and of a loopback address. */
MUST_CHECK enum status listener_check(struct span text, bool *loopback);
/* The sockets that the service manager passed to this process, at most max; how many. */
MUST_CHECK enum status listener_inherit(struct listener *out, uint32_t max, uint32_t *count,
                                        char *why, size_t why_size);
void listener_close(struct listener *listener);

/* Writes the address of a socket as text, without the port when out_port is not NULL. */
void listener_format(const struct sockaddr_storage *address, char *out, size_t size,
                     uint16_t *out_port);
bool listener_is_loopback(const struct sockaddr_storage *address);

#endif
