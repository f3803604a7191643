/* Reading a set of settings from configuration, key files, certificates and pack. Main thread. */
// SPDX-License-Identifier: Apache-2.0
#include "service/settings.h"

#include <errno.h>
#include <stdio.h>

#include "auth/dev.h"
#include "base/directory.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/seal.h"
#include "policy/pack.h"

/* The same bytes among the packs that were in force before, or NULL: a service that goes back and
 * forth between two packs keeps two. */
static struct policy_pack *known_pack(const struct settings *older, struct span bytes) {
    for (; older != NULL; older = older->older)
        if (span_equal(policy_pack_bytes(older->pack), bytes))
            return older->pack;
    return NULL;
}

static bool load_pack(struct settings *set, char why[SETTINGS_WHY_SIZE]) {
    const char *path = set->config->pack.data;
    struct buffer bytes = {0};
    struct policy_error error = {0};
    bool good = file_read(path, LIMIT_PACK, &bytes);
    if (!good) {
        snprintf(why, SETTINGS_WHY_SIZE, "config: \"pack\": %.200s: %s", path, strerror(errno));
    } else if ((set->pack = known_pack(set->older, buffer_span(&bytes))) != NULL) {
        set->owns_pack = false;
    } else if (policy_pack_load(buffer_span(&bytes), &set->pack, &error) != STATUS_OK) {
        good = false;
        snprintf(why, SETTINGS_WHY_SIZE, "config: \"pack\": %.150s: at \"%s\": %s", path,
                 error.pointer, error.detail);
    } else {
        set->owns_pack = true;
    }
    buffer_release(&bytes);
    return good;
}

/* The configured issuers and, in development, the data directory's own. */
static bool load_keys(struct settings *set, bool with_dev, char why[SETTINGS_WHY_SIZE]) {
    const struct config *config = set->config;
    uint32_t count = config->issuer_count;
    struct arena arena = {0};
    struct auth_issuer *issuers = arena_array(&arena, count + 1, sizeof *issuers);
    char cause[SETTINGS_WHY_SIZE - 32];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count; i++) {
        issuers[i] = config->issuers[i].token;
        if (config->issuers[i].binding != 0)
            issuers[i].binding = (enum auth_binding)(config->issuers[i].binding - 1);
        issuers[i].renewed =
            span_present(config->issuers[i].keys_url) || config->issuers[i].discovery;
    }
    if (with_dev) {
        directory_make(config->data.data); /* a failure shows in the next line */
        status = auth_dev_create(config->data.data, cause, sizeof cause);
        if (status == STATUS_OK)
            status = auth_dev_issuer_fill(config->data.data, &arena, &issuers[count++]);
        else
            snprintf(why, SETTINGS_WHY_SIZE, "%s", cause);
    }
    if (status == STATUS_OK) {
        status = auth_keys_load(issuers, count, &set->keys, cause, sizeof cause);
        if (status != STATUS_OK)
            snprintf(why, SETTINGS_WHY_SIZE, "config: \"issuers\": %s", cause);
    }
    arena_release(&arena);
    return status == STATUS_OK;
}

/* Certificates, keys and lists are small files that an operator replaces: each load reads them. */
static bool load_tls(struct settings *set, char why[SETTINGS_WHY_SIZE]) {
    const struct config *config = set->config;
    for (uint32_t i = 0; i < config->listener_count; i++) {
        const struct config_listener *listener = &config->listeners[i];
        struct tls_fault fault;
        if (listener->kind != LISTENER_PLAIN &&
            tls_open(listener, config->http2, &set->tls[i], &fault) != STATUS_OK) {
            snprintf(why, SETTINGS_WHY_SIZE, "config: \"listeners[%u].%s\": %s", i, fault.member,
                     fault.why);
            return false;
        }
    }
    return true;
}

/* One key, perhaps with a line end: what an authorization server sends as X-API-Key. */
static bool read_hook_key(struct api_tenant_setting *tenant, const char **why) {
    struct buffer text = {0};
    bool good = file_read(tenant->hook_key_file, HOOK_KEY_MAX + 2, &text);
    *why = good ? "must be 32 to 256 visible ASCII characters" : strerror(errno);
    while (text.size != 0 && strchr("\r\n", text.data[text.size - 1]) != NULL)
        text.size--;
    good = good && text.size >= HOOK_KEY_MIN && text.size <= HOOK_KEY_MAX;
    for (size_t i = 0; good && i < text.size; i++)
        good = text.data[i] > ' ' && text.data[i] < '\x7f';
    if (good)
        tenant->hook_key = digest_sha256(buffer_span(&text));
    if (text.size != 0)
        seal_wipe(text.data, text.size);
    buffer_release(&text);
    return good;
}

static bool load_tenants(struct settings *set, char why[SETTINGS_WHY_SIZE]) {
    const struct config *config = set->config;
    set->tenants = mem_alloc_zeroed(config->tenant_count + 1, sizeof *set->tenants);
    for (uint32_t i = 0; i < config->tenant_count; i++) {
        const char *cause;
        set->tenants[i] = config->tenants[i];
        if (config->tenants[i].hook_key_file != NULL && !read_hook_key(&set->tenants[i], &cause)) {
            snprintf(why, SETTINGS_WHY_SIZE, "config: \"tenants[%u].hookKeyFile\": %.200s: %s", i,
                     config->tenants[i].hook_key_file, cause);
            return false;
        }
    }
    return true;
}

static bool asks_for_certificates(const struct config *config) {
    for (uint32_t i = 0; i < config->listener_count; i++)
        if (config->listeners[i].kind == LISTENER_MUTUAL || config->listeners[i].proxy_count != 0)
            return true;
    return false;
}

/* All that loops read is the same; command line and environment are for as long as the process. */
static bool is_same(const struct settings *a, const struct settings *b) {
    bool same = digest_equal(&a->config->text, &b->config->text) && a->pack == b->pack;
    for (uint32_t i = 0; same && i < a->config->tenant_count; i++)
        same = digest_equal(&a->tenants[i].hook_key, &b->tenants[i].hook_key);
    return same;
}

/* What was read anew, out of a set that goes, for `to`, which is the same but for that. */
static void move_files(struct settings *from, struct settings *to) {
    auth_keys_free(to->keys);
    to->keys = from->keys;
    from->keys = NULL;
    settings_drop_tls(to);
    memcpy(to->tls, from->tls, sizeof to->tls);
    memset(from->tls, 0, sizeof from->tls);
}

static void discard(struct settings *set) {
    set->older = NULL;
    settings_free(set);
}

enum status settings_load(const struct config_source *source, struct settings *older,
                          struct settings **out, char why[SETTINGS_WHY_SIZE]) {
    struct settings *set = mem_alloc_zeroed(1, sizeof *set);
    set->older = older;
    set->age = older != NULL ? older->age + 1 : 0;
    if (config_load(source, &set->config, why) != STATUS_OK || !load_pack(set, why) ||
        !load_tls(set, why) || !load_tenants(set, why) ||
        !load_keys(set, source->dev && !source->check, why)) {
        discard(set);
        return STATUS_INVALID_PARAMETER;
    }
    if (older != NULL && is_same(set, older)) {
        move_files(set, older);
        discard(set);
        *out = older;
        return STATUS_OK;
    }
    if (older != NULL && older->age >= SETTINGS_KEPT_MAX) {
        snprintf(why, SETTINGS_WHY_SIZE, "changed %u times: restart to go on", older->age);
        discard(set);
        return STATUS_BUSY;
    }
    set->api = (struct api_settings){
        .public_url = set->config->public_url,
        .oauth_issuer = set->config->oauth_issuer,
        .tenants = set->tenants,
        .tenant_count = set->config->tenant_count,
        .note_reads_s = (unsigned)set->config->note_reads_seconds,
        .log_public = set->config->log_public,
        .witness_quorum =
            set->config->witness_count == 0 ? 0 : (uint32_t)set->config->witness_quorum,
        .certificates = asks_for_certificates(set->config),
        .metrics_public = set->config->metrics_public,
    };
    *out = set;
    return STATUS_OK;
}

void settings_drop_tls(struct settings *settings) {
    for (uint32_t i = 0; i < CONFIG_LISTEN_MAX; i++) {
        tls_unref(settings->tls[i]);
        settings->tls[i] = NULL;
    }
}

void settings_free(struct settings *settings) {
    while (settings != NULL) {
        struct settings *older = settings->older;
        if (settings->owns_pack)
            policy_pack_free(settings->pack);
        auth_keys_free(settings->keys);
        settings_drop_tls(settings);
        config_free(settings->config);
        mem_free(settings->tenants);
        mem_free(settings);
        settings = older;
    }
}
