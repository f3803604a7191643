/* Certificates as they come: DER from a handshake, or a Client-Cert header (what begins with ':').
 * Whatever is read must be bounded and printable, and read the same again from its own bytes. */
// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>

#include <openssl/err.h>

#include "auth/certificate.h"
#include "auth/name.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct auth_certificate *read) {
    ASSERT(span_present(read->application) == (read->no_application == NULL));
    ASSERT(!span_present(read->application) || auth_name_valid(read->application));
    ASSERT(!span_present(read->member) || auth_name_valid(read->member));
    ASSERT(read->role_count <= LIMIT_ROLES && (read->roles_present || read->role_count == 0));
    for (uint32_t i = 0; i < read->role_count; i++)
        ASSERT(auth_name_valid(read->roles[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span input = span_of((const char *)data, size);
    const struct auth_certificate *read = NULL;
    const char *why = NULL;
    struct arena arena = {0};
    enum status status = size != 0 && data[0] == ':'
                             ? auth_certificate_read_header(input, &arena, &read, &why)
                             : auth_certificate_read(input, &arena, &read, &why);
    ASSERT((status == STATUS_OK) == (read != NULL) && (status == STATUS_OK) == (why == NULL));
    ASSERT(ERR_peek_error() == 0);
    if (read != NULL)
        check(read);
    arena_release(&arena);
    return 0;
}
