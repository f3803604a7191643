/* GET and POST by libcurl, through one multi handle that keeps connections. */
// SPDX-License-Identifier: Apache-2.0
#include "service/fetch.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/log.h"

#define TURN_MS 1000 /* how long a turn waits at most; sockets and wakes end it */

struct fetcher {
    CURLM *multi;
};

/* A request under way. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
};

struct fetcher *fetcher_open(void) {
    struct fetcher *fetcher = mem_alloc_zeroed(1, sizeof *fetcher);
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    fetcher->multi = curl_multi_init();
    ASSERT(fetcher->multi != NULL);
    return fetcher;
}

void fetcher_close(struct fetcher *fetcher) {
    curl_multi_cleanup(fetcher->multi);
    curl_global_cleanup();
    mem_free(fetcher);
}

/* Taking less than was offered ends the transfer. */
static size_t take(char *data, size_t one, size_t size, void *context) {
    struct fetch *fetch = context;
    size_t max = fetch->answer_max != 0 ? fetch->answer_max : FETCH_ANSWER_MAX;
    (void)one;
    if (size > max - fetch->answer.size)
        return 0;
    buffer_append(&fetch->answer, data, size);
    return size;
}

/* libcurl takes a connection that ends amid the head for the end of the answer. */
static size_t watch_head(char *line, size_t one, size_t size, void *context) {
    struct fetch *fetch = context;
    (void)one;
    if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        fetch->has_head = false;
    else if (size <= 2 && (line[0] == '\r' || line[0] == '\n'))
        fetch->has_head = true;
    return size;
}

static struct curl_slist *list_headers(const struct fetch *fetch) {
    struct curl_slist *list = NULL;
    for (const char *const *line = fetch->headers; line != NULL && *line != NULL; line++) {
        list = curl_slist_append(list, *line);
        ASSERT(list != NULL);
    }
    return list;
}

static void forget_answer(struct fetch *fetch) {
    buffer_clear(&fetch->answer);
    fetch->status = 0;
    fetch->failure = "stopped";
    fetch->has_head = false;
    fetch->type[0] = fetch->etag[0] = fetch->cache_control[0] = '\0';
}

static void set_trust(CURL *easy, const struct fetch *fetch) {
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (fetch->cert_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, fetch->cert_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, fetch->key_file);
    }
    if (fetch->ca_file == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_CAINFO, fetch->ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's are trusted as well */
}

static struct transfer begin(struct fetcher *fetcher, struct fetch *fetch) {
    struct transfer transfer = {curl_easy_init(), list_headers(fetch)};
    CURL *easy = transfer.easy;
    ASSERT(easy != NULL);
    forget_answer(fetch);
    curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (span_present(fetch->body)) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch->body.data);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body.size);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "consentd/" CONSENTD_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_MS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, watch_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's is no answer */
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    set_trust(easy, fetch);
    ASSERT(curl_multi_add_handle(fetcher->multi, easy) == CURLM_OK);
    return transfer;
}

static void end(struct fetcher *fetcher, struct transfer *transfer) {
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
}

/* "" when there is none, or it does not fit. */
static void copy_text(const char *text, char *out, size_t size) {
    bool fits = text != NULL && strlen(text) < size;
    snprintf(out, size, "%s", fits ? text : "");
}

static void copy_header(CURL *easy, const char *name, char *out, size_t size) {
    struct curl_header *header = NULL;
    bool found = curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    copy_text(found ? header->value : NULL, out, size);
}

static void note(CURL *easy, CURLcode code) {
    char *context = NULL, *type = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    struct fetch *fetch = (struct fetch *)(void *)context;
    fetch->failure =
        code == CURLE_WRITE_ERROR ? "the answer is too large" : curl_easy_strerror(code);
    if (code == CURLE_OK && !fetch->has_head)
        fetch->failure = "the answer ends amid its head";
    if (!fetch->has_head || (code != CURLE_OK && !fetch->status_alone))
        return;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    fetch->status = (int)status;
    copy_text(type, fetch->type, sizeof fetch->type);
    copy_header(easy, "ETag", fetch->etag, sizeof fetch->etag);
    copy_header(easy, "Cache-Control", fetch->cache_control, sizeof fetch->cache_control);
}

static unsigned note_finished(struct fetcher *fetcher) {
    unsigned finished = 0;
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        ASSERT(message->msg == CURLMSG_DONE);
        note(message->easy_handle, message->data.result);
        finished++;
    }
    return finished;
}

void fetcher_run(struct fetcher *fetcher, struct fetch *const *fetches, unsigned count,
                 const _Atomic(bool) *stop) {
    struct transfer transfers[FETCHES_MAX];
    unsigned finished = 0;
    int running;
    ASSERT(count <= FETCHES_MAX);
    for (unsigned i = 0; i < count; i++)
        transfers[i] = begin(fetcher, fetches[i]);
    while (finished < count && !atomic_load(stop)) {
        curl_multi_perform(fetcher->multi, &running);
        finished += note_finished(fetcher);
        if (finished < count)
            curl_multi_poll(fetcher->multi, NULL, 0, TURN_MS, NULL);
    }
    for (unsigned i = 0; i < count; i++)
        end(fetcher, &transfers[i]);
}

void fetcher_wait(struct fetcher *fetcher, int ms) {
    curl_multi_poll(fetcher->multi, NULL, 0, ms, NULL);
}

void fetcher_wake(struct fetcher *fetcher) {
    curl_multi_wakeup(fetcher->multi);
}
