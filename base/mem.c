/* Allocation that cannot fail, arenas and buffers. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define CHUNK_SIZE 4096
#define ALIGNMENT 16

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(ALIGNMENT) char bytes[];
};

static void *checked(void *memory) {
    if (memory == NULL)
        log_abort("out of memory", __FILE__, __LINE__);
    return memory;
}

void *mem_alloc(size_t size) {
    return checked(malloc(size != 0 ? size : 1));
}

void *mem_alloc_zeroed(size_t count, size_t size) {
    return checked(calloc(count != 0 ? count : 1, size != 0 ? size : 1));
}

void *mem_resize(void *memory, size_t size) {
    return checked(realloc(memory, size != 0 ? size : 1));
}

void mem_free(void *memory) {
    free(memory);
}

char *mem_copy_text(struct span text) {
    char *copy = mem_alloc(text.size + 1);
    if (text.size != 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

void *arena_alloc(struct arena *arena, size_t size) {
    ASSERT(size <= SIZE_MAX / 4);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - arena->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        chunk = mem_alloc(sizeof *chunk + room);
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->used = 0;
    }
    void *memory = chunk->bytes + arena->used;
    arena->used += size;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size) {
    ASSERT(size == 0 || count <= SIZE_MAX / size);
    void *memory = arena_alloc(arena, count * size);
    memset(memory, 0, count * size);
    return memory;
}

struct span arena_copy(struct arena *arena, struct span text) {
    if (!span_present(text))
        return SPAN_NONE;
    char *copy = arena_alloc(arena, text.size + 1);
    if (text.size != 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return span_of(copy, text.size);
}

struct span arena_format(struct arena *arena, const char *format, ...) {
    char usual[128];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(usual, sizeof usual, format, args);
    ASSERT(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    if ((size_t)size < sizeof usual)
        memcpy(text, usual, (size_t)size + 1);
    else
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(args);
    return span_of(text, (size_t)size);
}

void arena_reset(struct arena *arena) {
    struct arena kept = {0};
    if (arena->chunks != NULL && arena->chunks->size == CHUNK_SIZE) {
        kept.chunks = arena->chunks;
        arena->chunks = kept.chunks->next;
        kept.chunks->next = NULL;
    }
    arena_release(arena);
    *arena = kept;
}

void arena_release(struct arena *arena) {
    while (arena->chunks != NULL) {
        struct arena_chunk *next = arena->chunks->next;
        mem_free(arena->chunks);
        arena->chunks = next;
    }
    arena->used = 0;
}

void buffer_grow(struct buffer *buffer, size_t size) {
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 256;
    ASSERT(size <= SIZE_MAX / 4 && buffer->size <= SIZE_MAX / 4);
    while (capacity - buffer->size < size)
        capacity *= 2;
    buffer->data = mem_resize(buffer->data, capacity);
    buffer->capacity = capacity;
}

void buffer_append_format(struct buffer *buffer, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    ASSERT(size >= 0);
    char *at = buffer_reserve(buffer, (size_t)size + 1);
    vsnprintf(at, (size_t)size + 1, format, again);
    buffer->size += (size_t)size;
    va_end(again);
    va_end(args);
}

void buffer_clear(struct buffer *buffer) {
    buffer->size = 0;
}

void buffer_release(struct buffer *buffer) {
    mem_free(buffer->data);
    *buffer = (struct buffer){NULL, 0, 0};
}
