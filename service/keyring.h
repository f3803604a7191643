/* The keys of all issuers as they are now: those of files, and those that were fetched from URLs,
 * as a job of the courier. The owner of what api.keys points to.
 *
 * A set that cannot be fetched or used changes nothing: the last good one stays, also over a
 * reload, and for a while over a restart (kept_keys.h). Without one an issuer has the keys of its
 * file, or none until its URL has answered, and the service is not ready.
 *
 * Threads: the main thread puts, the courier's renews, any reads the figures. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_KEYRING_H
#define SERVICE_KEYRING_H

#include "service/key_source.h"
#include "service/service.h"

struct keyring;
/* service, whose settings are loaded, is borrowed. */
struct keyring *keyring_new(struct service *service);
/* No loop and no courier runs any more. NULL is right. */
void keyring_free(struct keyring *keyring);
/* Puts a set in force, which it takes, with what is known of its URLs already. */
void keyring_put(struct keyring *keyring, const struct config *config, struct auth_keys *keys);
/* Becomes a job of the courier. */
void keyring_join(struct keyring *keyring, struct courier *courier);
uint64_t keyring_count(const struct keyring *keyring, enum key_outcome outcome);

#endif
