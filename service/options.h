/* The command line. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include "service/service.h"
#include "service/witness_server.h"

#define OPTIONS_OVERRIDES_MAX 8

enum options_action {
    OPTIONS_SERVE,
    OPTIONS_WITNESS,
    OPTIONS_CHECK,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG
};

struct options {
    struct service_options service;
    struct witness_server_options witness; /* of OPTIONS_WITNESS */
    struct config_override overrides[OPTIONS_OVERRIDES_MAX];
};

/* Reads the arguments, borrowed for as long as *out; OPTIONS_WRONG after a message on stderr. */
enum options_action options_parse(int count, char **arguments, struct options *out);
/* The text of --help. */
const char *options_help(void);

#endif
