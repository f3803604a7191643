/* What a running service follows and a reload replaces: configuration, keys of issuers, policy
 * pack, TLS of listeners and the api's settings. A set is immutable; loops hold pointers into it.
 *
 * Old sets are kept until the process ends: no loop can be asked cheaply whether it still reads
 * one. The bound is SETTINGS_KEPT_MAX changes of a few KiB each, plus the packs that really
 * differed. A reload that finds new keys, certificates or lists and no other change makes no new
 * set: those are the main thread's to hand on, and come as often as an authority writes a list. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include "service/config.h"
#include "service/tls.h"

#define SETTINGS_KEPT_MAX 1000
#define HOOK_KEY_MIN 32 /* characters; hexadecimal ones are 128 bits */
#define HOOK_KEY_MAX 256
#define SETTINGS_WHY_SIZE 1024 /* holds CONFIG_WHY_SIZE */

struct settings {
    struct config *config;
    struct api_settings api;
    struct api_tenant_setting *tenants; /* config->tenants with what their files hold */
    struct auth_keys *keys; /* of files; the keyring's once they are in force (NULL then) */
    struct policy_pack *pack;
    struct tls *tls[CONFIG_LISTEN_MAX]; /* of config->listeners; NULL for plain ones, and for all
                                           once the endpoints have them */
    bool owns_pack;                     /* false: an older set's, whose bytes are the same */
    struct settings *older;             /* retired */
    uint32_t age;                       /* how many are behind it: changes since the start */
};

/* Reads configuration, key files and pack into a set that stands before `older` (may be NULL); *out
 * is `older` itself, with the keys and TLS of now, where nothing else differs. On failure why says
 * what, and nothing has changed. Free the newest with settings_free. */
MUST_CHECK enum status settings_load(const struct config_source *source, struct settings *older,
                                     struct settings **out, char why[SETTINGS_WHY_SIZE]);
/* Lets go of what the endpoints hold themselves, so that old keys do not stay in memory. */
void settings_drop_tls(struct settings *settings);
/* Frees this set and all older ones. */
void settings_free(struct settings *settings);

#endif
