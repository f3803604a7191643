/* Creates consents over keep-alive HTTP/1.1 as fast as the service takes them: each request has its
 * own Idempotency-Key and body, which h2load cannot do. One thread, one request per connection at a
 * time, so that --clients is the number of callers that wait.
 *
 * Consents are spread like a market's: 50 providers, 200 applications, 100,000 accounts; no two
 * have the same account and application, so that none supersedes another.
 *
 * load --port P --tokens FILE --clients N --count M [--first I] [--ids FILE] [--rate N] [--proof]
 * The tokens' file has a provider's URL and its token per line; the ids' gets a provider's line
 * number and a consent's id per line. Prints one JSON object. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 4096
#define PROVIDERS_MAX 50
#define APPLICATIONS 200
#define ACCOUNTS 100000
#define REQUEST_MAX 8192
#define RESPONSE_MAX 65536

struct provider {
    char url[256], token[4096];
};

struct client {
    int fd;
    uint64_t number; /* of the consent that is being created */
    int64_t sent_us;
    size_t out_size, out_done, in_size;
    char out[REQUEST_MAX], in[RESPONSE_MAX];
};

static struct {
    uint16_t port;
    const char *tokens, *ids;
    uint64_t clients, count, first, rate;
    bool proof; /* each answer is to bring the proof of its entry */
} options;

static struct provider providers[PROVIDERS_MAX];
static unsigned provider_count;
static uint64_t started, finished, refused, paced;
static int64_t begun_us;
static uint32_t *latencies_us;
static int poller;
static FILE *ids;

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_tokens(void) {
    FILE *file = fopen(options.tokens, "r");
    if (file == NULL)
        die(options.tokens);
    while (provider_count < PROVIDERS_MAX &&
           fscanf(file, "%255s %4095s", providers[provider_count].url,
                  providers[provider_count].token) == 2)
        provider_count++;
    fclose(file);
    if (provider_count == 0)
        die("no tokens");
}

/* A number that looks like an opaque id: the same for the same account (splitmix64). */
static uint64_t scramble(uint64_t number) {
    uint64_t z = number + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t write_body(uint64_t number, char *out, size_t size) {
    static const char license[] = "https://registry.core.trust.ib1.org/scheme/perseus/license/"
                                  "energy-consumption-edp-cap/2026-03-12";
    uint64_t account = number % ACCOUNTS;
    unsigned application = (unsigned)((account + number / ACCOUNTS * 37) % APPLICATIONS);
    unsigned long long ref = scramble(account), meter = scramble(account + ACCOUNTS);
    char at[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    int written = snprintf(
        out, size,
        "{\"client\":\"https://directory.core.pilot.trust.ib1.org/application/cap-%03u\","
        "\"license\":\"%s\",\"account\":\"acc-%016llx\",\"principal\":{\"type\":\"company\"},"
        "\"purposes\":[\"estimate-emissions\",\"corroborate-savings\"],"
        "\"permissions\":[{\"code\":\"electricity.import.halfhourly\","
        "\"resources\":[\"meter-%016llx\"]}],"
        "\"grant\":{\"at\":\"%s\",\"method\":\"authenticatedSession\","
        "\"by\":{\"ref\":\"user-%016llx\",\"authority\":\"director\"},"
        "\"notice\":{\"url\":\"https://supplier.example/notices/2026-03-12\",\"language\":\"en\","
        "\"renderedDigest\":\"%016llx%016llx%010uA\",\"shownAt\":\"%s\"}}}",
        application, license, ref, meter, at, (unsigned long long)scramble(ref), ref, meter,
        (unsigned)(ref % 1000000000), at);
    return (size_t)written;
}

static unsigned provider_of(uint64_t number) {
    return (unsigned)(number % ACCOUNTS % provider_count);
}

static void write_request(struct client *client, uint64_t number) {
    const struct provider *provider = &providers[provider_of(number)];
    char body[4096];
    size_t size = write_body(number, body, sizeof body);
    int written = snprintf(client->out, sizeof client->out,
                           "POST /v1/consents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                           "Idempotency-Key: bench-%llu\r\n%sContent-Length: %zu\r\n\r\n%.*s",
                           provider->token, (unsigned long long)number,
                           options.proof ? "Prefer: proof\r\n" : "", size, (int)size, body);
    client->out_size = (size_t)written;
    client->out_done = client->in_size = 0;
}

static void push(struct client *client) {
    while (client->out_done < client->out_size) {
        ssize_t wrote =
            write(client->fd, client->out + client->out_done, client->out_size - client->out_done);
        if (wrote < 0 && errno == EAGAIN)
            return; /* the poller tells when there is room */
        if (wrote <= 0)
            die("write");
        client->out_done += (size_t)wrote;
    }
}

/* False when all requests have been begun. */
static bool begin(struct client *client) {
    if (started == options.count)
        return false;
    client->number = options.first + started++;
    write_request(client, client->number);
    client->sent_us = now_us();
    push(client);
    return true;
}

/* The size of the whole answer, 0 while its head is not there. */
static size_t answer_size(const struct client *client) {
    const char *end = memmem(client->in, client->in_size, "\r\n\r\n", 4);
    const char *length = memmem(client->in, client->in_size, "Content-Length: ", 16);
    if (end == NULL)
        return 0;
    if (length == NULL || length > end)
        die("an answer without Content-Length");
    return (size_t)(end + 4 - client->in) + strtoul(length + 16, NULL, 10);
}

static void take(struct client *client) {
    static const char key[] = "\"consentId\":\"";
    if (memcmp(client->in, "HTTP/1.1 201", 12) != 0) {
        if (refused++ == 0)
            fprintf(stderr, "load: first refusal: %.*s\n", (int)client->in_size, client->in);
    } else if (ids != NULL) {
        const char *id = memmem(client->in, client->in_size, key, sizeof key - 1);
        if (id != NULL)
            fprintf(ids, "%u %.36s\n", provider_of(client->number), id + sizeof key - 1);
    }
    latencies_us[finished++] = (uint32_t)(now_us() - client->sent_us);
}

/* With a rate, change n is due so many seconds after the first; everyone waits for it. */
static void wait_for_turn(void) {
    int64_t due = begun_us + (int64_t)(paced * 1000000 / options.rate);
    for (int64_t left = due - now_us(); left > 0; left = due - now_us())
        usleep((useconds_t)left);
    paced++;
}

static void pull(struct client *client) {
    ssize_t got =
        read(client->fd, client->in + client->in_size, sizeof client->in - client->in_size - 1);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        die("the service closed the connection");
    client->in_size += (size_t)got;
    client->in[client->in_size] = '\0';
    size_t size = answer_size(client);
    if (size == 0 || client->in_size < size)
        return;
    take(client);
    if (options.rate != 0)
        wait_for_turn();
    begin(client);
}

static struct client *connect_one(void) {
    struct client *client = calloc(1, sizeof *client);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) != 0)
        die("epoll_ctl");
    return client;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(int64_t elapsed_us) {
    qsort(latencies_us, finished, sizeof *latencies_us, compare);
    printf("{\"clients\":%llu,\"count\":%llu,\"refused\":%llu,\"seconds\":%.3f,\"rate\":%.0f,"
           "\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
           (unsigned long long)options.clients, (unsigned long long)finished,
           (unsigned long long)refused, (double)elapsed_us / 1e6,
           (double)finished * 1e6 / (double)elapsed_us, latencies_us[finished / 2],
           latencies_us[finished * 99 / 100], latencies_us[finished - 1]);
}

static void run(void) {
    static struct client *clients[CLIENTS_MAX];
    struct epoll_event events[256];
    for (uint64_t i = 0; i < options.clients; i++)
        clients[i] = connect_one();
    begun_us = now_us();
    for (uint64_t i = 0; i < options.clients; i++)
        begin(clients[i]);
    while (finished < options.count) {
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            if (events[i].events & EPOLLOUT)
                push(client);
            if (events[i].events & EPOLLIN)
                pull(client);
        }
    }
    report(now_us() - begun_us);
    for (uint64_t i = 0; i < options.clients; i++) {
        close(clients[i]->fd);
        free(clients[i]);
    }
}

int main(int count, char **arguments) {
    static const struct option known[] = {{"port", required_argument, NULL, 'p'},
                                          {"tokens", required_argument, NULL, 't'},
                                          {"clients", required_argument, NULL, 'c'},
                                          {"count", required_argument, NULL, 'n'},
                                          {"first", required_argument, NULL, 'f'},
                                          {"ids", required_argument, NULL, 'i'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"proof", no_argument, NULL, 'o'},
                                          {0}};
    int option;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
        uint64_t number = optarg != NULL ? strtoull(optarg, NULL, 10) : 0;
        switch (option) {
        case 'p':
            options.port = (uint16_t)number;
            break;
        case 't':
            options.tokens = optarg;
            break;
        case 'c':
            options.clients = number;
            break;
        case 'n':
            options.count = number;
            break;
        case 'f':
            options.first = number;
            break;
        case 'i':
            options.ids = optarg;
            break;
        case 'r':
            options.rate = number;
            break;
        case 'o':
            options.proof = true;
            break;
        default:
            return 2;
        }
    }
    if (options.port == 0 || options.tokens == NULL || options.clients == 0 ||
        options.clients > CLIENTS_MAX || options.count < options.clients)
        return 2;
    read_tokens();
    ids = options.ids != NULL ? fopen(options.ids, "w") : NULL;
    latencies_us = calloc(options.count, sizeof *latencies_us);
    poller = epoll_create1(0);
    run();
    if (ids != NULL)
        fclose(ids);
    free(latencies_us);
    close(poller);
    return refused != 0;
}
