/* See html_out.h. */
// SPDX-License-Identifier: Apache-2.0
#include "api/html_out.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/timestamp.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *reference(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* C0 and C1 controls, but for tab and line ends. */
static bool is_control(const char *at, size_t size) {
    unsigned char first = (unsigned char)at[0];
    if (size == 2)
        return first == 0xc2 && (unsigned char)at[1] < 0xa0;
    return size == 1 && (first == 0x7f || (first < 0x20 && strchr("\t\n\r", first) == NULL));
}

void html_text(struct buffer *out, struct span text) {
    for (size_t i = 0, size; i < text.size; i += size) {
        const char *at = text.data + i;
        const char *instead = reference(*at);
        size = encode_utf8_size(at, text.size - i);
        if (size == 0 || is_control(at, size))
            instead = REPLACEMENT;
        if (instead != NULL)
            buffer_append_text(out, instead);
        else
            buffer_append(out, at, size);
        size = size != 0 ? size : 1;
    }
}

void html_foreign(struct buffer *out, struct span text) {
    buffer_append_text(out, "<bdi>");
    html_text(out, text);
    buffer_append_text(out, "</bdi>");
}

void html_time(struct buffer *out, int64_t time_ms) {
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    char text[TIMESTAMP_SIZE + 1];
    timestamp_format(time_ms, text);
    int month = (text[5] - '0') * 10 + text[6] - '0';
    int day = (text[8] - '0') * 10 + text[9] - '0';
    buffer_append_format(out, "<time datetime=\"%s\">%d %s %.4s, %.8s UTC</time>", text, day,
                         months[month - 1], text, text + 11);
}
