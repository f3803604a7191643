/* What the scheme's members do with their certificate alone: a client reads or revokes by one of
 * its refresh tokens, another member withdraws what consents here depend on. Fields of
 * store_change.peer. Sources: RFC 7009; Icebreaker One, Permission Records 1.0 and Withdrawal of
 * Permission 1.0. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_PEER_H
#define STORE_PEER_H

#include "store/change.h"

struct store_peer {
    struct digest token; /* SHA-256 of the token, which the store never sees */
    bool never_refresh;  /* it has the form of another kind of token: when it is not known, it is
                            STATUS_INVALID_PARAMETER, and nothing is remembered of it */
    /* out */
    bool known;               /* STORE_REVOKE_TOKEN, STORE_MESSAGE: of some consent here */
    struct store_token found; /* STORE_READ_PERMISSION: as it was registered */
};
/* STORE_READ_PERMISSION: the arrangement's newest grant is done.consent, as of done.log_index, the
 * entry that tells of the reading. STATUS_NOT_FOUND for a token that is not known or another
 * client's: nothing distinguishes them (invariant 9). STATUS_ERASED.
 *
 * STORE_REVOKE_TOKEN: ends every active consent that has the token, and remembers one that is not
 * known, until it is registered for this client. STORE_MESSAGE: ends what depends on the token and
 * on nothing else that is active; nothing depends on it any more, now or later. */

#endif
