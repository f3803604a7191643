/* A log behind a URL. Each answer is bounded in size and time; redirects are not followed, so that
 * a token goes nowhere else. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <stdio.h>

#include "cli/audit_source.h"

#define CONNECT_TIMEOUT_S 10L
#define PAGE 256           /* lines asked for at once */
#define PAGE_MAX 134217728 /* bytes of their answer: some of them may hold a whole pack */
#define HEAD_MAX 65536
#define USER_AGENT "consentctl/" CONSENTD_VERSION

struct http {
    struct audit_source source; /* first: what others hold */
    CURL *curl;
    struct curl_slist *headers;
    char *base; /* without a slash at its end */
    char *tenant;
    struct buffer page;
    size_t page_at;
};

/* ---- one request */

struct answer {
    struct buffer *out;
    size_t left; /* bytes it may still have */
    bool too_large;
};

static size_t take(char *data, size_t size, size_t count, void *context) {
    struct answer *answer = context;
    (void)size; /* 1 */
    if (count > answer->left) {
        answer->too_large = true;
        return 0;
    }
    buffer_append(answer->out, data, count);
    answer->left -= count;
    return count;
}

static enum audit_got judge(struct http *self, const char *path, CURLcode code,
                            const struct answer *answer, struct audit_fault *fault) {
    long status = 0;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    if (answer->too_large) {
        (void)audit_bad(fault, "%s: the answer is larger than any that is right", path);
        return AUDIT_FAILED;
    }
    if (code != CURLE_OK) {
        (void)audit_unavailable(fault, "%s%s: %s", self->base, path, curl_easy_strerror(code));
        return AUDIT_FAILED;
    }
    if (status == 200)
        return AUDIT_GOT;
    if (status == 404)
        return AUDIT_MISSING;
    (void)audit_unavailable(fault, "%s%s: answers with status %ld%s", self->base, path, status,
                            status == 401 || status == 403 ? "; see --token" : "");
    return AUDIT_FAILED;
}

static enum audit_got fetch(struct http *self, const char *path, size_t max, struct buffer *out,
                            struct audit_fault *fault) {
    struct answer answer = {out, max, false};
    struct buffer url = {0};
    size_t before = out->size;
    buffer_append_text(&url, self->base);
    buffer_append(&url, path, strlen(path) + 1);
    curl_easy_setopt(self->curl, CURLOPT_URL, url.data);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, &answer);
    enum audit_got got = judge(self, path, curl_easy_perform(self->curl), &answer, fault);
    if (got != AUDIT_GOT)
        out->size = before;
    buffer_release(&url);
    return got;
}

/* Where witnesses cosign, the plain checkpoint is some seconds old: heads and notices of erasures
 * that an auditor reads may stand behind it. Servers of files do not look at the query. */
static enum audit_got get(struct audit_source *source, const char *path, size_t max,
                          struct buffer *out, struct audit_fault *fault) {
    char below[128];
    if (strcmp(path, AUDIT_COSIGNED) == 0)
        path = "checkpoint";
    else if (strcmp(path, "checkpoint") == 0)
        path = "checkpoint?newest=true";
    snprintf(below, sizeof below, "/log/%s", path);
    return fetch((struct http *)source, below, max, out, fault);
}

/* ---- lines, in pages */

static bool next_page(struct http *self, struct audit_fault *fault) {
    struct buffer path = {0};
    buffer_append_format(&path, "/v1/audit/events?limit=%d", PAGE);
    if (self->source.last_line != AUDIT_NO_INDEX)
        buffer_append_format(&path, "&after=%llu", (unsigned long long)self->source.last_line);
    if (self->tenant != NULL)
        buffer_append_format(&path, "&tenant=%s", self->tenant);
    buffer_append(&path, "", 1);
    buffer_clear(&self->page);
    self->page_at = 0;
    enum audit_got got = fetch(self, path.data, PAGE_MAX, &self->page, fault);
    buffer_release(&path);
    if (got == AUDIT_MISSING)
        return audit_unavailable(fault, "%s: has no /v1/audit/events", self->base);
    return got == AUDIT_GOT;
}

/* Absent at the end of the page. */
static struct span line_of_page(struct http *self) {
    while (self->page_at < self->page.size) {
        const char *from = self->page.data + self->page_at;
        size_t left = self->page.size - self->page_at;
        const char *end = memchr(from, '\n', left);
        size_t size = end != NULL ? (size_t)(end - from) : left;
        self->page_at += size + (end != NULL);
        if (size != 0)
            return span_of(from, size);
    }
    return SPAN_NONE;
}

static bool next_line(struct audit_source *source, struct span *line, struct audit_fault *fault) {
    struct http *self = (struct http *)source;
    *line = line_of_page(self);
    if (span_present(*line))
        return true;
    if (!next_page(self, fault))
        return false;
    *line = line_of_page(self);
    return true;
}

bool audit_http_head(struct audit_source *source, struct buffer *out, struct audit_fault *fault) {
    struct http *self = (struct http *)source;
    struct buffer path = {0};
    buffer_append_format(&path, "/v1/audit/heads?tenant=%s", self->tenant);
    buffer_append(&path, "", 1);
    enum audit_got got = fetch(self, path.data, HEAD_MAX, out, fault);
    buffer_release(&path);
    if (got == AUDIT_MISSING)
        return audit_unavailable(fault, "%s: the token does not show this tenant", self->base);
    return got == AUDIT_GOT;
}

static bool check_rest(struct audit_source *source, uint64_t size, struct audit_fault *fault) {
    (void)source; /* nobody can ask for everything */
    (void)size;
    (void)fault;
    return true;
}

/* ---- life */

static void release(struct audit_source *source) {
    struct http *self = (struct http *)source;
    curl_slist_free_all(self->headers);
    curl_easy_cleanup(self->curl);
    curl_global_cleanup();
    buffer_release(&self->page);
    curl_free(self->tenant);
    mem_free(self->base);
    mem_free(self);
}

static const struct audit_source_kind kind = {get, next_line, check_rest, release};

static void add_header(struct http *self, const char *name, struct span value) {
    struct buffer line = {0};
    buffer_append_format(&line, "%s: %.*s", name, SPAN_ARG(value));
    buffer_append(&line, "", 1);
    struct curl_slist *more = curl_slist_append(self->headers, line.data);
    self->headers = more != NULL ? more : self->headers;
    memset(line.data, 0, line.size); /* a token */
    buffer_release(&line);
}

static void set_options(struct http *self, const struct audit_http_options *options) {
    CURL *curl = self->curl;
    add_header(self, "Accept", SPAN("application/x-ndjson, */*;q=0.5"));
    if (span_present(options->token)) {
        struct buffer value = {0};
        buffer_append_text(&value, "Bearer ");
        buffer_append_span(&value, options->token);
        add_header(self, "Authorization", buffer_span(&value));
        memset(value.data, 0, value.size);
        buffer_release(&value);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, options->timeout_s);
    if (options->ca_file == NULL)
        return;
    curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* else the system's are trusted as well */
}

struct audit_source *audit_http_open(const struct audit_http_options *options,
                                     struct audit_fault *fault) {
    struct http *self = mem_alloc_zeroed(1, sizeof *self);
    size_t size = strlen(options->url);
    while (size > 0 && options->url[size - 1] == '/')
        size--;
    self->source = (struct audit_source){&kind, options->url, true, options->after};
    self->base = mem_copy_text(span_of(options->url, size));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    self->curl = curl_easy_init();
    if (self->curl != NULL && span_present(options->tenant))
        self->tenant =
            curl_easy_escape(self->curl, options->tenant.data, (int)options->tenant.size);
    if (self->curl == NULL || (span_present(options->tenant) && self->tenant == NULL)) {
        (void)audit_unavailable(fault, "libcurl cannot be used");
        release(&self->source);
        return NULL;
    }
    set_options(self, options);
    return &self->source;
}
