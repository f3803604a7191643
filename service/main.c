/* consentd. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "service/options.h"

int main(int count, char **arguments) {
    struct options options;
    switch (options_parse(count, arguments, &options)) {
    case OPTIONS_SERVE:
        return service_run(&options.service);
    case OPTIONS_WITNESS:
        return witness_server_run(&options.witness);
    case OPTIONS_CHECK:
        return service_check(&options.service);
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return 0;
    case OPTIONS_VERSION:
        printf("consentd %s\n", CONSENTD_VERSION);
        return 0;
    case OPTIONS_WRONG:
        break;
    }
    return 2;
}
