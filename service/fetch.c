/* POST by libcurl, through one multi handle that keeps connections. */
// SPDX-License-Identifier: Apache-2.0
#include "service/fetch.h"

#include <curl/curl.h>

#include "base/log.h"

#define TURN_MS 1000 /* how long a turn waits at most; sockets and wakes end it */

struct fetcher {
    CURLM *multi;
    struct curl_slist *headers;
};

struct fetcher *fetcher_open(void) {
    struct fetcher *fetcher = mem_alloc_zeroed(1, sizeof *fetcher);
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    fetcher->multi = curl_multi_init();
    fetcher->headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    ASSERT(fetcher->multi != NULL && fetcher->headers != NULL);
    return fetcher;
}

void fetcher_close(struct fetcher *fetcher) {
    curl_multi_cleanup(fetcher->multi);
    curl_slist_free_all(fetcher->headers);
    curl_global_cleanup();
    mem_free(fetcher);
}

/* Taking less than was offered ends the transfer. */
static size_t take(char *data, size_t one, size_t size, void *context) {
    struct fetch *fetch = context;
    (void)one;
    if (size > FETCH_ANSWER_MAX - fetch->answer.size)
        return 0;
    buffer_append(&fetch->answer, data, size);
    return size;
}

static CURL *begin(struct fetcher *fetcher, struct fetch *fetch) {
    CURL *easy = curl_easy_init();
    ASSERT(easy != NULL);
    buffer_clear(&fetch->answer);
    fetch->status = 0;
    fetch->failure = "stopped";
    fetch->type[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch->body.data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body.size);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetcher->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "consentd/" CONSENTD_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_MS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    ASSERT(curl_multi_add_handle(fetcher->multi, easy) == CURLM_OK);
    return easy;
}

static void note(CURL *easy, CURLcode code) {
    char *context = NULL, *type = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    struct fetch *fetch = (struct fetch *)(void *)context;
    fetch->failure =
        code == CURLE_WRITE_ERROR ? "the answer is too large" : curl_easy_strerror(code);
    if (code != CURLE_OK)
        return;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    fetch->status = (int)status;
    if (type != NULL && strlen(type) < sizeof fetch->type)
        memcpy(fetch->type, type, strlen(type) + 1);
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
    CURL *handles[FETCHES_MAX];
    unsigned finished = 0;
    int running;
    ASSERT(count <= FETCHES_MAX);
    for (unsigned i = 0; i < count; i++)
        handles[i] = begin(fetcher, fetches[i]);
    while (finished < count && !atomic_load(stop)) {
        curl_multi_perform(fetcher->multi, &running);
        finished += note_finished(fetcher);
        if (finished < count)
            curl_multi_poll(fetcher->multi, NULL, 0, TURN_MS, NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        curl_multi_remove_handle(fetcher->multi, handles[i]);
        curl_easy_cleanup(handles[i]);
    }
}

void fetcher_wait(struct fetcher *fetcher, int ms) {
    curl_multi_poll(fetcher->multi, NULL, 0, ms, NULL);
}

void fetcher_wake(struct fetcher *fetcher) {
    curl_multi_wakeup(fetcher->multi);
}
