/* Opening and closing the store, and the two doors of the writer: submit and take. Threads: see
 * store/store.h. */
// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "store/checkpoint.h"
#include "store/guard.h"
#include "store/scrub.h"

#define PATH_MAX_SIZE 4096

static enum status refuse(char *why, size_t size, const char *what, const char *path, int code) {
    snprintf(why, size, "%s %s: %s", path, what, code != 0 ? strerror(code) : "");
    return STATUS_INTERNAL;
}

static bool make_path(const struct store_options *options, const char *name, char *out) {
    int size = snprintf(out, PATH_MAX_SIZE, "%s/%s", options->directory, name);
    return size > 0 && size < PATH_MAX_SIZE;
}

enum status store_lock(struct store *store, char *why, size_t size) {
    char path[PATH_MAX_SIZE];
    if (!make_path(&store->options, "lock", path))
        return refuse(why, size, "is too long", store->options.directory, 0);
    store->lock_file = file_lock(path);
    if (store->lock_file >= 0)
        return STATUS_OK;
    return refuse(why, size,
                  errno == EWOULDBLOCK ? "is held by another process" : "cannot be opened", path,
                  errno);
}

static enum status make_directory(const struct store_options *options, const char *name, char *why,
                                  size_t size) {
    char path[PATH_MAX_SIZE];
    if (!make_path(options, name, path))
        return refuse(why, size, "is too long", options->directory, 0);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return refuse(why, size, "cannot be made", path, errno);
    return STATUS_OK;
}

static enum status write_mac_key(struct store *store, const char *path, char *why, size_t size) {
    digest_random(store->mac_key, sizeof store->mac_key);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(why, size, "cannot be made", path, errno);
    bool written = write(fd, store->mac_key, MAC_KEY_SIZE) == MAC_KEY_SIZE && fsync(fd) == 0;
    int code = errno;
    close(fd);
    if (!written)
        unlink(path); /* half a key would be refused at every start */
    return written ? STATUS_OK : refuse(why, size, "cannot be written", path, code);
}

static enum status read_mac_key(struct store *store, const char *path, char *why, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, size, "cannot be read", path, errno);
    unsigned char bytes[MAC_KEY_SIZE + 1];
    ssize_t got = read(fd, bytes, sizeof bytes);
    close(fd);
    if (got != MAC_KEY_SIZE)
        return refuse(why, size, "must hold exactly 32 bytes", path, 0);
    memcpy(store->mac_key, bytes, MAC_KEY_SIZE);
    return STATUS_OK;
}

/* An entry that is on disk without the keys would be a log that nobody can open (invariant 1). */
static enum status sync_keys(struct store *store, char *why, size_t size) {
    char path[PATH_MAX_SIZE];
    if (!make_path(&store->options, "keys", path))
        return refuse(why, size, "is too long", store->options.directory, 0);
    return directory_sync(path) && directory_sync(store->options.directory)
               ? STATUS_OK
               : refuse(why, size, "cannot be synced", path, errno);
}

/* Keys are made before the first entry and never again: a missing one is an error. */
static enum status create(struct store *store, char *why, size_t size) {
    char mac_path[PATH_MAX_SIZE];
    enum status status = make_directory(&store->options, "keys", why, size);
    if (status != STATUS_OK)
        return status;
    if (!make_path(&store->options, "keys/mac.key", mac_path))
        return refuse(why, size, "is too long", store->options.directory, 0);
    /* A start that died between the keys and the first entry left keys that nothing uses yet. */
    status = access(mac_path, F_OK) == 0 ? read_mac_key(store, mac_path, why, size)
                                         : write_mac_key(store, mac_path, why, size);
    if (status != STATUS_OK)
        return status;
    status = log_keys_create(store, why, size);
    if (status == STATUS_OK)
        status = log_keys_load(store, span_of_text(store->options.origin), why, size);
    if (status == STATUS_OK)
        status = sync_keys(store, why, size);
    return status == STATUS_OK ? state_create(store, why, size) : status;
}

enum status store_check_existing(struct store *store, char *why, size_t size) {
    char path[PATH_MAX_SIZE];
    if (!make_path(&store->options, "keys/mac.key", path))
        return refuse(why, size, "is too long", store->options.directory, 0);
    enum status status = read_mac_key(store, path, why, size);
    return status == STATUS_OK ? state_check(store, why, size) : status;
}

/* Before anything is written: an entry would carry the time for good (invariant 7). */
static enum status check_clock(const struct store *store, char *why, size_t size) {
    const struct clock *clock = store->options.clock;
    int64_t gap = clock_now_ms(clock) - store->state.last_time;
    if (clock->injected || store->options.clock_confirmed || gap < CLOCK_GAP_MAX_MS)
        return STATUS_OK;
    snprintf(why, size,
             "the clock is %lld days ahead of the last entry; when it is right, start once with "
             "--confirm-clock",
             (long long)(gap / 86400000));
    return STATUS_INTERNAL;
}

static enum status open_existing(struct store *store, char *why, size_t size) {
    enum status status = store_check_existing(store, why, size);
    if (status == STATUS_OK)
        status = check_clock(store, why, size);
    return status == STATUS_OK ? guard_check(store, why, size) : status;
}

static enum status open_all(struct store *store, char *why, size_t size) {
    const struct store_options *options = &store->options;
    enum status status = store_lock(store, why, size);
    if (status != STATUS_OK)
        return status;
    store_scrub_discard(options->directory);
    status = db_open(options->directory, options->map_size, &store->db, why, size);
    if (status != STATUS_OK)
        return status;
    if (state_exists(store))
        return open_existing(store, why, size);
    if (!options->create)
        return refuse(why, size, "holds no log; --create makes a new one", options->directory, 0);
    return create(store, why, size);
}

struct store *store_make(const struct store_options *options) {
    struct store *store = mem_alloc_zeroed(1, sizeof *store);
    pthread_condattr_t monotonic;
    unsigned char random[9];
    store->options = *options;
    store->lock_file = -1;
    store->queue_last = &store->queue;
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->queue_filled, &monotonic);
    pthread_cond_init(&store->activation_done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (unsigned i = 0; i < LIMIT_LANES; i++) {
        pthread_mutex_init(&store->answers[i].lock, NULL);
        store->answers[i].last = &store->answers[i].first;
    }
    digest_random(random, sizeof random);
    encode_base64url(random, sizeof random, store->entry_prefix);
    atomic_store(&store->last_time, INT64_MIN);
    return store;
}

void store_unmake(struct store *store) {
    db_close(store->db);
    log_keys_release(&store->log_keys);
    if (store->lock_file >= 0)
        close(store->lock_file);
    for (unsigned i = 0; i < LIMIT_LANES; i++) {
        while (store->answers[i].first != NULL) {
            struct store_change *change = store->answers[i].first;
            store->answers[i].first = change->next;
            store_change_free(change);
        }
        pthread_mutex_destroy(&store->answers[i].lock);
    }
    pthread_mutex_destroy(&store->queue_lock);
    pthread_cond_destroy(&store->queue_filled);
    pthread_cond_destroy(&store->activation_done);
    mem_free(store);
}

enum status store_open(const struct store_options *options, struct store **out, char *why,
                       size_t why_size) {
    ASSERT(options->loops <= LIMIT_LANES && options->clock != NULL);
    struct store *store = store_make(options);
    enum status status = open_all(store, why, why_size);
    if (status == STATUS_OK)
        status = checkpoint_settle_keys(store, why, why_size);
    if (status == STATUS_OK) {
        atomic_store(&store->last_time, store->state.last_time);
        atomic_store(&store->entries, store->state.tree.size);
        atomic_store(&store->consents, store->state.next_consent);
        int code = pthread_create(&store->writer, NULL, writer_main, store);
        store->writer_started = code == 0;
        if (code != 0)
            status = refuse(why, why_size, "gets no writer thread", options->directory, code);
    }
    if (status != STATUS_OK) {
        log_event(LOG_ERROR, "store.refused", LOG_TEXT("why", why));
        store_unmake(store);
        return status;
    }
    log_event(LOG_INFO, "store.opened", LOG_INT("entries", store->state.tree.size),
              LOG_INT("consents", store->state.next_consent));
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store) {
    if (store == NULL)
        return;
    if (store->writer_started) {
        pthread_mutex_lock(&store->queue_lock);
        store->closing = true;
        pthread_cond_signal(&store->queue_filled);
        pthread_mutex_unlock(&store->queue_lock);
        pthread_join(store->writer, NULL);
    }
    store_unmake(store);
}

enum status store_pack_activate(struct store *store, const struct policy_pack *pack) {
    pthread_mutex_lock(&store->queue_lock);
    store->activating = pack;
    pthread_cond_signal(&store->queue_filled);
    while (store->activating != NULL)
        pthread_cond_wait(&store->activation_done, &store->queue_lock);
    enum status status = store->activation;
    pthread_mutex_unlock(&store->queue_lock);
    return status;
}

void store_clock_confirm(struct store *store) {
    if (atomic_exchange(&store->stepped, false))
        log_event(LOG_WARN, "store.clock_confirmed", LOG_INT("now_ms", store_time_ms(store)));
}

bool store_ready(const struct store *store) {
    return !atomic_load(&store->failed) && !atomic_load(&store->stepped);
}

enum status store_submit(struct store *store, unsigned loop, struct store_change *change) {
    ASSERT(loop < store->options.loops);
    enum status status = STATUS_BUSY;
    change->loop = loop;
    change->next = NULL;
    pthread_mutex_lock(&store->queue_lock);
    if (!store->closing && store->queue_count < LIMIT_QUEUE && store_ready(store)) {
        *store->queue_last = change;
        store->queue_last = &change->next;
        store->queue_count++;
        if (store->queue_count == 1)
            pthread_cond_signal(&store->queue_filled);
        status = STATUS_OK;
    }
    pthread_mutex_unlock(&store->queue_lock);
    return status;
}

void store_fail(struct store *store) {
    if (!atomic_exchange(&store->failed, true) && store->options.failed != NULL)
        store->options.failed(store->options.context);
}

struct store_change *store_take(struct store *store, unsigned loop) {
    struct answers *answers = &store->answers[loop];
    pthread_mutex_lock(&answers->lock);
    struct store_change *first = answers->first;
    answers->first = NULL;
    answers->last = &answers->first;
    pthread_mutex_unlock(&answers->lock);
    return first;
}

int64_t store_time_ms(const struct store *store) {
    int64_t now = clock_now_ms(store->options.clock);
    int64_t last = atomic_load(&store->last_time);
    return now > last ? now : last;
}

struct mac16 store_mac16(const struct store *store, const struct span *parts, size_t count) {
    return digest_mac16(store->mac_key, parts, count);
}

static struct mac16 evidence_mac(const struct store *store, const struct uuid *arrangement) {
    const struct span parts[] = {SPAN("evidence"),
                                 span_of((const char *)arrangement->bytes, UUID_SIZE)};
    return store_mac16(store, parts, 2);
}

void store_evidence_id(const struct store *store, const struct uuid *arrangement,
                       char out[STORE_EVIDENCE_SIZE + 1]) {
    unsigned char bytes[UUID_SIZE + MAC16_SIZE];
    struct mac16 mac = evidence_mac(store, arrangement);
    memcpy(bytes, arrangement->bytes, UUID_SIZE);
    memcpy(bytes + UUID_SIZE, mac.bytes, MAC16_SIZE);
    size_t size = encode_base64url(bytes, sizeof bytes, out);
    ASSERT(size == STORE_EVIDENCE_SIZE);
    out[size] = '\0';
}

bool store_evidence_open(const struct store *store, struct span text, struct uuid *arrangement) {
    unsigned char bytes[UUID_SIZE + MAC16_SIZE];
    struct uuid named;
    struct mac16 given;
    size_t size;
    if (decode_base64url(text, bytes, sizeof bytes, &size) != STATUS_OK || size != sizeof bytes)
        return false;
    memcpy(named.bytes, bytes, UUID_SIZE);
    memcpy(given.bytes, bytes + UUID_SIZE, MAC16_SIZE);
    struct mac16 mac = evidence_mac(store, &named);
    if (!digest_mac16_equal(&mac, &given))
        return false;
    *arrangement = named;
    return true;
}

void store_stats_get(const struct store *store, struct store_stats *out) {
    struct db_room room;
    db_room_get(store->db, &room);
    *out = (struct store_stats){
        .entries = atomic_load(&store->entries),
        .consents = atomic_load(&store->consents),
        .queued = atomic_load(&store->queued),
        .commits = atomic_load(&store->commits),
        .changes = atomic_load(&store->changes),
        .refused = atomic_load(&store->refused),
        .commit_us = atomic_load(&store->commit_us),
        .map_used = room.used,
        .map_size = room.size,
        .clock_stepped = atomic_load(&store->stepped),
        .clock_step_ms = atomic_load(&store->stepped) ? clock_step_ms(store->options.clock) : 0,
        .failed = atomic_load(&store->failed),
        .full = atomic_load(&store->full),
    };
}
