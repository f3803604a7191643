/* Options and the help that explains them. */
// SPDX-License-Identifier: Apache-2.0
#include "service/options.h"

#include <getopt.h>
#include <stdio.h>

enum {
    OPTION_DEV = 256,
    OPTION_LISTEN,
    OPTION_DATA,
    OPTION_PACK,
    OPTION_CLOCK,
    OPTION_CONFIG,
    OPTION_CHECK,
    OPTION_CREATE,
    OPTION_CONFIRM,
    OPTION_INSECURE,
    OPTION_WITNESS,
    OPTION_LOGS,
    OPTION_NAME,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option known[] = {
    {"dev", no_argument, NULL, OPTION_DEV},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"data", required_argument, NULL, OPTION_DATA},
    {"pack", required_argument, NULL, OPTION_PACK},
    {"clock", required_argument, NULL, OPTION_CLOCK},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"check-config", no_argument, NULL, OPTION_CHECK},
    {"create", no_argument, NULL, OPTION_CREATE},
    {"confirm-clock", no_argument, NULL, OPTION_CONFIRM},
    {"insecure-http", no_argument, NULL, OPTION_INSECURE},
    {"witness", no_argument, NULL, OPTION_WITNESS},
    {"logs", required_argument, NULL, OPTION_LOGS},
    {"name", required_argument, NULL, OPTION_NAME},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

const char *options_help(void) {
    return "consentd - stores consents, answers for them, and logs what happened\n"
           "\n"
           "  consentd --dev                       try it: everything is made in var/dev\n"
           "  consentd --config FILE --create      the first start in production\n"
           "  consentd --config FILE               every start after it\n"
           "\n"
           "What it runs on\n"
           "  --config FILE         JSON; every key is explained in docs/configuration.md.\n"
           "                        Scalars can be set in the environment instead: publicUrl is\n"
           "                        CONSENTD_PUBLIC_URL. Options win over both.\n"
           "  --listen HOST:PORT    default 127.0.0.1:8080; port 0 takes a free one and logs it;\n"
           "                        several with commas. LISTEN_FDS of systemd goes before.\n"
           "  --data DIR            the store and its keys; one process at a time\n"
           "  --pack FILE           the policy pack: which licences admit which consents\n"
           "  --create              make a new log when DIR holds none; otherwise that is an\n"
           "                        error, so that a lost directory is not silently replaced\n"
           "  --confirm-clock       start although the clock is 31 days or more ahead of the last\n"
           "                        entry: nothing was written for so long, and the clock is "
           "right\n"
           "  --insecure-http       allow plain HTTP beyond loopback (behind a TLS proxy)\n"
           "\n"
           "For development\n"
           "  --dev                 defaults for all of these, a token issuer in DIR/issuer, and\n"
           "                        three commands to paste on standard output\n"
           "  --clock START[xRATE]  only with --dev: time starts at START (2026-03-12T09:00Z) and\n"
           "                        runs RATE times as fast (x0 stands still); drives tokens too\n"
           "\n"
           "As a witness of other logs (docs/witness.md)\n"
           "  --witness             cosign checkpoints of logs, and nothing else; goes with "
           "--data,\n"
           "                        --listen (one address), --create and --insecure-http\n"
           "  --logs FILE           the logs' verifier keys, one a line\n"
           "  --name NAME           with --create: the witness's name, like "
           "witness.example.com/w1\n"
           "\n"
           "Without serving\n"
           "  --check-config        validate configuration, key files and pack; exit 0 or 1\n"
           "  --version, --help\n"
           "\n"
           "Signals: TERM and INT finish what is in flight and stop; HUP reads configuration, key\n"
           "files and pack anew and confirms a stepped clock. The log is JSON lines on standard\n"
           "error; the line \"service.listening\" tells the address.\n";
}

static enum options_action wrong(const char *message) {
    fprintf(stderr, "consentd: %s; --help explains\n", message);
    return OPTIONS_WRONG;
}

static void override(struct options *out, const char *key, const char *option, const char *text) {
    struct config_source *source = &out->service.source;
    uint32_t at = 0;
    while (at < source->override_count && strcmp(out->overrides[at].key, key) != 0)
        at++;
    out->overrides[at] = (struct config_override){key, option, text};
    if (at == source->override_count)
        source->override_count++;
}

/* False for an option that getopt did not know. */
static bool take(struct options *out, int option, enum options_action *action) {
    struct service_options *service = &out->service;
    struct witness_server_options *witness = &out->witness;
    switch (option) {
    case OPTION_DEV:
        service->source.dev = true;
        return true;
    case OPTION_LISTEN:
        witness->listen = optarg;
        override(out, "listen", "--listen", optarg);
        return true;
    case OPTION_DATA:
        witness->data = optarg;
        override(out, "data", "--data", optarg);
        return true;
    case OPTION_PACK:
        override(out, "pack", "--pack", optarg);
        return true;
    case OPTION_INSECURE:
        witness->insecure_http = true;
        override(out, "insecureHttp", "--insecure-http", "true");
        return true;
    case OPTION_CLOCK:
        service->clock = optarg;
        return true;
    case OPTION_CONFIG:
        service->source.file = optarg;
        return true;
    case OPTION_CREATE:
        service->create = witness->create = true;
        return true;
    case OPTION_WITNESS:
        *action = OPTIONS_WITNESS;
        return true;
    case OPTION_LOGS:
        witness->logs = optarg;
        return true;
    case OPTION_NAME:
        witness->name = optarg;
        return true;
    case OPTION_CONFIRM:
        service->clock_confirmed = true;
        return true;
    case OPTION_CHECK:
        *action = OPTIONS_CHECK;
        return true;
    case OPTION_VERSION:
        *action = OPTIONS_VERSION;
        return true;
    case OPTION_HELP:
        *action = OPTIONS_HELP;
        return true;
    default:
        return false;
    }
}

/* A witness has no configuration: what it needs is on the command line. */
static enum options_action check_witness(const struct options *out) {
    const struct witness_server_options *witness = &out->witness;
    if (out->service.source.dev || out->service.source.file != NULL)
        return wrong("--witness goes without --dev and --config");
    if (witness->data == NULL || witness->logs == NULL)
        return wrong("--witness needs --data and --logs");
    if (witness->create != (witness->name != NULL))
        return wrong("--witness: --create and --name go together");
    return OPTIONS_WITNESS;
}

enum options_action options_parse(int count, char **arguments, struct options *out) {
    enum options_action action = OPTIONS_SERVE;
    int option;
    *out = (struct options){0};
    out->service.source.overrides = out->overrides;
    out->witness.listen = "127.0.0.1:8080";
    optind = 1;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1)
        if (!take(out, option, &action))
            return OPTIONS_WRONG; /* getopt has said why */
    if (optind < count)
        return wrong("takes options only");
    if (action == OPTIONS_WITNESS)
        return check_witness(out);
    if (out->witness.logs != NULL || out->witness.name != NULL)
        return wrong("--logs and --name go only with --witness");
    if (out->service.clock != NULL && !out->service.source.dev)
        return wrong("--clock goes only with --dev");
    return action;
}
