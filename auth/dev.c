/* The development issuer: a key pair that appears whole or not at all, because its directory is
 * made under another name and renamed.
 *
 * Threads: any, and any number of processes. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/dev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/mint.h"
#include "auth/name.h"

static const struct {
    const char *role;
    const char *scopes;
} presets[] = {
    {"tenant", "consents:write consents:read decisions:evaluate"},
    {"client", "consents:read consents:write decisions:evaluate"},
    {"auditor", "audit:read"},
    {"admin", "admin"},
};

const char *auth_dev_role_scopes(struct span role) {
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (span_is(role, presets[i].role)) {
            return presets[i].scopes;
        }
    }
    return NULL;
}

static enum status explain(const char *path, char *why, size_t why_size) {
    snprintf(why, why_size, "%s: %s", path, strerror(errno));
    return STATUS_INTERNAL;
}

static bool is_made(const char *directory) {
    struct arena arena = {0};
    bool made = access(arena_format(&arena, "%s/issuer/private.pem", directory).data, F_OK) == 0 &&
                access(arena_format(&arena, "%s/issuer/jwks.json", directory).data, F_OK) == 0;
    arena_release(&arena);
    return made;
}

static enum status make_directories(const char *directory, char *why, size_t why_size) {
    enum status status = STATUS_OK;
    char *path = mem_copy_text(span_of_text(directory));
    size_t size = strlen(path);
    for (size_t i = 1; i <= size && status == STATUS_OK; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        char end = path[i];
        path[i] = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            status = explain(path, why, why_size);
        }
        path[i] = end;
    }
    mem_free(path);
    return status;
}

/* Makes the pair under a fresh name beside its place, then moves it there. */
static enum status make_issuer(const char *directory, struct arena *arena, char *why,
                               size_t why_size) {
    char *fresh = mem_copy_text(arena_format(arena, "%s/issuer.XXXXXX", directory));
    const char *place = arena_format(arena, "%s/issuer", directory).data;
    if (mkdtemp(fresh) == NULL) {
        enum status status = explain(directory, why, why_size);
        mem_free(fresh);
        return status;
    }
    const char *private_file = arena_format(arena, "%s/private.pem", fresh).data;
    const char *jwks_file = arena_format(arena, "%s/jwks.json", fresh).data;
    enum status status = auth_mint_keygen(private_file, jwks_file, why, why_size);
    if (status == STATUS_OK && rename(fresh, place) != 0) {
        status = explain(place, why, why_size);
        status = is_made(directory) ? STATUS_OK : status;
        unlink(private_file);
        unlink(jwks_file);
    }
    rmdir(fresh); /* still there only when it did not become the issuer */
    mem_free(fresh);
    return status;
}

enum status auth_dev_create(const char *directory, char *why, size_t why_size) {
    struct arena arena = {0};
    if (is_made(directory)) {
        return STATUS_OK;
    }
    enum status status = make_directories(directory, why, why_size);
    if (status == STATUS_OK) {
        status = make_issuer(directory, &arena, why, why_size);
    }
    arena_release(&arena);
    return status;
}

enum status auth_dev_issuer_fill(const char *directory, struct arena *arena,
                                 struct auth_issuer *out) {
    *out = (struct auth_issuer){
        .issuer = SPAN(AUTH_DEV_ISSUER),
        .audience = SPAN(AUTH_DEV_AUDIENCE),
        .key_file = arena_format(arena, "%s/issuer/jwks.json", directory).data,
    };
    return STATUS_OK;
}

static enum status request_scopes(const struct auth_dev_request *request, struct span *out,
                                  char *why, size_t why_size) {
    const char *preset = auth_dev_role_scopes(request->role);
    if (span_present(request->role) && preset == NULL) {
        snprintf(why, why_size, "the role must be tenant, client, auditor or admin");
        return STATUS_INVALID_PARAMETER;
    }
    if (preset == NULL && !span_present(request->scope)) {
        snprintf(why, why_size, "a token needs a role or a scope");
        return STATUS_INVALID_PARAMETER;
    }
    *out = span_present(request->scope) ? request->scope : span_of_text(preset);
    return STATUS_OK;
}

static bool are_names(const struct span *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!auth_name_valid(names[i])) {
            return false;
        }
    }
    return true;
}

/* What the verifier would refuse is refused here, where the sentence can name it. */
static enum status check_request(const struct auth_dev_request *request, char *why,
                                 size_t why_size) {
    const char *fault = NULL;
    if (!auth_name_valid(request->id)) {
        fault = "the id must be 1 to 256 printable characters without spaces";
    } else if (span_present(request->member) && !auth_name_valid(request->member)) {
        fault = "the member must be 1 to 256 printable characters without spaces";
    } else if (request->role_count > LIMIT_ROLES || request->provider_count > LIMIT_PROVIDERS) {
        fault = "a token has at most 16 roles and 256 providers";
    } else if (!are_names(request->roles, request->role_count) ||
               !are_names(request->providers, request->provider_count)) {
        fault = "roles and providers must be 1 to 256 printable characters without spaces each";
    }
    if (fault != NULL) {
        snprintf(why, why_size, "%s", fault);
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_OK;
}

enum status auth_dev_mint(const char *directory, const struct auth_dev_request *request,
                          struct buffer *out, char *why, size_t why_size) {
    struct arena arena = {0};
    struct auth_claims claims = {
        .issuer = SPAN(AUTH_DEV_ISSUER),
        .audience = SPAN(AUTH_DEV_AUDIENCE),
        .client_id = request->id,
        .member = request->member,
        .roles = request->roles,
        .role_count = request->role_count,
        .providers = request->providers,
        .provider_count = request->provider_count,
        .issued_at_s = request->issued_at_s,
        .expires_s = request->expires_s,
    };
    enum status status = check_request(request, why, why_size);
    if (status == STATUS_OK) {
        status = request_scopes(request, &claims.scope, why, why_size);
    }
    if (status == STATUS_OK) {
        const char *file = arena_format(&arena, "%s/issuer/private.pem", directory).data;
        status = auth_mint(file, &claims, out, why, why_size);
    }
    arena_release(&arena);
    return status;
}
