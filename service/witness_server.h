/* consentd --witness: the process that runs a witness over HTTP. Main thread alone. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_WITNESS_SERVER_H
#define SERVICE_WITNESS_SERVER_H

#include <stdbool.h>

struct witness_server_options {
    const char *data, *logs, *name; /* NULL when not given */
    const char *listen;             /* HOST:PORT */
    bool create, insecure_http;
};

/* Serves until SIGTERM or SIGINT. Returns the exit status; every refusal has been logged. */
int witness_server_run(const struct witness_server_options *options);

#endif
