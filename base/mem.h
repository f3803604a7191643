/* Memory: allocation that cannot fail (out of memory ends the process; inputs are bounded before),
 * arenas for the lifetime of a call, and growable buffers for output. Not thread-safe per object.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Caller frees with mem_free. */
void *mem_alloc(size_t size);
void *mem_alloc_zeroed(size_t count, size_t size);
void *mem_resize(void *memory, size_t size);
void mem_free(void *memory);
/* A NUL-terminated copy; caller frees with mem_free. */
char *mem_copy_text(struct span text);

/* An arena hands out memory that lives until the arena is released. Zero-initialised is empty. */
struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t used; /* bytes handed out of the newest chunk */
};
/* Aligned for any type, not zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed array. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A NUL-terminated copy that lives as long as the arena. An absent span stays absent. */
struct span arena_copy(struct arena *arena, struct span text);
struct span arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_release(struct arena *arena);
/* Ends all that was handed out, like release, but keeps a chunk for what comes next. */
void arena_reset(struct arena *arena);

/* A growable run of bytes. Zero-initialised is empty. */
struct buffer {
    char *data;
    size_t size;
    size_t capacity;
};
/* Makes room for size more bytes than there are. */
void buffer_grow(struct buffer *buffer, size_t size);
/* Room for size more bytes; the caller writes them and adds to buffer->size. Inline, like append:
 * a response is some two hundred of these, most of a few constant bytes. */
static inline char *buffer_reserve(struct buffer *buffer, size_t size) {
    if (buffer->capacity - buffer->size < size)
        buffer_grow(buffer, size);
    return buffer->data + buffer->size;
}
static inline void buffer_append(struct buffer *buffer, const void *data, size_t size) {
    if (size == 0)
        return;
    memcpy(buffer_reserve(buffer, size), data, size);
    buffer->size += size;
}
static inline void buffer_append_span(struct buffer *buffer, struct span text) {
    buffer_append(buffer, text.data, text.size);
}
static inline void buffer_append_text(struct buffer *buffer, const char *text) {
    buffer_append(buffer, text, strlen(text));
}
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline struct span buffer_span(const struct buffer *buffer) {
    return span_of(buffer->data, buffer->size);
}
void buffer_clear(struct buffer *buffer); /* keeps the capacity */
void buffer_release(struct buffer *buffer);

#endif
