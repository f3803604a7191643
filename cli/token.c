/* consentctl token: a bearer token of the development issuer of a data directory. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "auth/dev.h"
#include "base/clock.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/options.h"

#define MILLISECONDS 1000

static const char help[] =
    "Usage: consentctl token --data DIR --role ROLE --id URL [options]\n"
    "\n"
    "Prints a bearer token signed by the development issuer of DIR, which a service started with\n"
    "`consentd --dev --data DIR` accepts. The issuer (DIR/issuer) is created when it is absent.\n"
    "\n"
    "  --data DIR          the data directory of the service\n"
    "  --role ROLE         a preset of scopes:\n"
    "                        tenant   consents:write consents:read decisions:evaluate\n"
    "                        client   consents:read consents:write decisions:evaluate\n"
    "                        auditor  audit:read\n"
    "                        admin    admin\n"
    "  --id URL            the caller: client_id, the Directory URL of its application\n"
    "\n"
    "  --member URL        the member it belongs to; its tenant is then the member, else the id\n"
    "  --scope \"A B\"       these scopes instead of the role's (--role may then be left out)\n"
    "  --providers A,B     for an auditor: tenants it may read, or * for all; none when left out\n"
    "  --roles A,B         scheme roles; read only where the issuer's configuration names a claim\n"
    "                      of roles, which that of --dev does not\n"
    "  --ttl TIME          how long it is valid: 90s, 30m, 1h (the default), 7d\n"
    "  --at TIME           issued as of this time (2024-03-31T23:30Z), for a service that runs\n"
    "                      with --clock; the default is now\n"
    "\n"
    "What a caller may do with a consent follows from its scopes and from its relation to it: the\n"
    "tenant that stored it, or the client it was given to.\n"
    "\n"
    "  TOKEN=$(consentctl token --data var/dev --role tenant --id https://provider.example/app)\n"
    "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/v1/consents\n";

struct arguments {
    struct span data, role, id, member, scope, roles, providers, ttl, at;
};

static bool read_arguments(int argc, char **argv, struct arguments *out) {
    const struct cli_option options[] = {
        {"data", true, &out->data},
        {"role", false, &out->role},
        {"id", true, &out->id},
        {"member", false, &out->member},
        {"scope", false, &out->scope},
        {"roles", false, &out->roles},
        {"providers", false, &out->providers},
        {"ttl", false, &out->ttl},
        {"at", false, &out->at},
    };
    if (!cli_options_read("token", argc, argv, options, sizeof options / sizeof options[0])) {
        return false;
    }
    if (span_present(out->role) && auth_dev_role_scopes(out->role) == NULL) {
        cli_complain("token", "option --role must be tenant, client, auditor or admin");
        return false;
    }
    if (!span_present(out->role) && !span_present(out->scope)) {
        cli_complain("token", "option --role is required, unless --scope is given");
        return false;
    }
    return true;
}

static bool read_times(const struct arguments *arguments, struct auth_dev_request *request) {
    struct clock clock;
    int64_t ttl_s = AUTH_DEV_TTL_S;
    clock_init(&clock);
    int64_t at_ms = clock_now_ms(&clock);
    if (span_present(arguments->ttl) && !cli_seconds_read(arguments->ttl, &ttl_s)) {
        cli_complain("token", "option --ttl must be a time like 90s, 30m, 1h or 7d");
        return false;
    }
    if (span_present(arguments->at) && timestamp_parse(arguments->at, &at_ms) != STATUS_OK) {
        cli_complain("token", "option --at must be a UTC time like 2024-03-31T23:30Z");
        return false;
    }
    request->issued_at_s = at_ms / MILLISECONDS;
    request->expires_s = request->issued_at_s + ttl_s;
    return true;
}

/* Appends the token to out. */
static enum cli_exit mint(const char *directory, const struct auth_dev_request *request,
                          struct buffer *out) {
    char why[512];
    enum status status = auth_dev_create(directory, why, sizeof why);
    if (status == STATUS_OK) {
        status = auth_dev_mint(directory, request, out, why, sizeof why);
    }
    if (status != STATUS_OK) {
        cli_complain("token", "%s", why);
    }
    if (status == STATUS_INVALID_PARAMETER) {
        return CLI_USAGE;
    }
    return status == STATUS_OK ? CLI_OK : CLI_FAILED;
}

static enum cli_exit print(const struct buffer *token) {
    if (printf("%.*s\n", SPAN_ARG(buffer_span(token))) < 0 || fflush(stdout) != 0) {
        cli_complain("token", "cannot write to standard output");
        return CLI_FAILED;
    }
    return CLI_OK;
}

static enum cli_exit run(int argc, char **argv) {
    struct arena arena = {0};
    struct buffer token = {0};
    struct arguments arguments = {0};
    enum cli_exit ended = CLI_USAGE;
    if (read_arguments(argc, argv, &arguments)) {
        struct cli_list roles = cli_list_split(arguments.roles, &arena);
        struct cli_list providers = cli_list_split(arguments.providers, &arena);
        struct auth_dev_request request = {
            .role = arguments.role,
            .id = arguments.id,
            .member = arguments.member,
            .scope = arguments.scope,
            .roles = roles.items,
            .role_count = roles.count,
            .providers = providers.items,
            .provider_count = providers.count,
        };
        if (read_times(&arguments, &request)) {
            ended = mint(arguments.data.data, &request, &token);
        }
    }
    if (ended == CLI_OK) {
        ended = print(&token);
    }
    buffer_release(&token);
    arena_release(&arena);
    return ended;
}

const struct cli_command cli_token_command = {
    .name = "token",
    .summary = "print a bearer token of the development issuer",
    .help = help,
    .run = run,
};
