/* A turn: what is due is read out of one snapshot, documents that are not fresh are fetched, the
 * messages are sent, all at a time, and what came of each is written in one change. Tokens are in
 * memory for a turn and wiped at its end. */
// SPDX-License-Identifier: Apache-2.0
#include "service/deliveries.h"

#include <pthread.h>
#include <stdio.h>

#include "base/log.h"
#include "base/seal.h"
#include "service/application.h"
#include "service/key_source.h"
#include "service/service.h"
#include "store/outbox.h"

#define APPLICATIONS_MAX 256 /* remembered: 150 KiB */
#define OF_ONE_MAX 4         /* messages to one application in a turn, so that others get theirs */
#define TURN_MAX STORE_DELIVERIES_MAX
#define IDLE_US INT64_C(60000000)

_Static_assert(TURN_MAX <= FETCHES_MAX, "a turn is one batch");

/* What the configuration says, copied. */
struct plan {
    struct arena arena;
    struct api_tenant_setting *tenants;
    uint32_t tenant_count;
    const char *ca_file;
    uint64_t retry_s, give_up_s;
};

struct deliveries {
    struct store *store;
    struct store_reader *reader;
    struct courier *courier;
    pthread_mutex_t lock;
    struct plan plan; /* under the lock */
    struct application applications[APPLICATIONS_MAX];
    struct store_outbox_place place; /* where the next turn reads on: whoever cannot be sent to does
                                        not stand in the way of those behind, however many wait */
    bool passed_over;                /* of those before it, some can go */
    _Atomic(uint64_t) waiting, oldest_ms, sent, failed, given_up;
};

/* One message in a turn. */
struct parcel {
    const struct store_message *message;
    struct application *application;
    const struct api_tenant_setting *tenant;
    struct fetch fetch;
    struct buffer body;
    const char *cause; /* why it did not go; NULL: it went */
    bool posted;
};
struct turn {
    struct deliveries *deliveries;
    struct plan plan;
    struct arena arena;
    struct store_outbox box;
    struct parcel parcels[TURN_MAX];
    struct application *documents[TURN_MAX]; /* whose are to be fetched */
    struct fetch fetches[TURN_MAX];
    uint32_t document_count;
    struct application *picked[TURN_MAX]; /* while choosing */
    uint32_t picked_count;
    bool more; /* others can go as well: this turn had as many as it sends, in all or to one */
    bool hurried;
    int64_t now_us;
};

/* ---- the plan */

static struct plan copy_plan(const struct api_tenant_setting *tenants, uint32_t count) {
    struct plan plan = {.tenant_count = 0};
    plan.tenants = arena_array(&plan.arena, count, sizeof *plan.tenants);
    for (uint32_t i = 0; i < count; i++) {
        if (tenants[i].cert_file == NULL || tenants[i].key_file == NULL)
            continue;
        struct api_tenant_setting *to = &plan.tenants[plan.tenant_count++];
        to->tenant = arena_copy(&plan.arena, tenants[i].tenant);
        to->cert_file = arena_copy(&plan.arena, span_of_text(tenants[i].cert_file)).data;
        to->key_file = arena_copy(&plan.arena, span_of_text(tenants[i].key_file)).data;
    }
    return plan;
}

void deliveries_put(struct deliveries *deliveries, const struct config *config) {
    struct plan plan = copy_plan(config->tenants, config->tenant_count);
    plan.ca_file = arena_copy(&plan.arena, config->message_ca_file).data;
    plan.retry_s = config->message_retry_seconds;
    plan.give_up_s = config->message_give_up_seconds;
    pthread_mutex_lock(&deliveries->lock);
    arena_release(&deliveries->plan.arena);
    deliveries->plan = plan;
    pthread_mutex_unlock(&deliveries->lock);
}

static void take_plan(struct turn *turn) {
    struct deliveries *deliveries = turn->deliveries;
    pthread_mutex_lock(&deliveries->lock);
    const struct plan *plan = &deliveries->plan;
    turn->plan = copy_plan(plan->tenants, plan->tenant_count);
    turn->plan.ca_file = arena_copy(&turn->plan.arena, span_of_text(plan->ca_file)).data;
    turn->plan.retry_s = plan->retry_s;
    turn->plan.give_up_s = plan->give_up_s;
    pthread_mutex_unlock(&deliveries->lock);
}

static const struct api_tenant_setting *tenant_of(const struct turn *turn, struct span tenant) {
    for (uint32_t i = 0; i < turn->plan.tenant_count; i++)
        if (span_equal(turn->plan.tenants[i].tenant, tenant))
            return &turn->plan.tenants[i];
    return NULL;
}

/* ---- choosing */

/* The one that is remembered, else the place of the one that was not used for longest and that this
 * turn does not use; NULL when there is none. */
static struct application *application_of(struct turn *turn, struct span url) {
    struct application *oldest = NULL;
    for (uint32_t i = 0; i < APPLICATIONS_MAX; i++) {
        struct application *at = &turn->deliveries->applications[i];
        if (span_is(url, at->url)) {
            at->used_us = turn->now_us;
            return at;
        }
        if (at->used_us < turn->now_us && (oldest == NULL || at->used_us < oldest->used_us))
            oldest = at;
    }
    if (oldest == NULL || url.size >= sizeof oldest->url)
        return NULL;
    *oldest = (struct application){.used_us = turn->now_us};
    memcpy(oldest->url, url.data, url.size);
    return oldest;
}

static bool want(void *context, const struct store_message *message) {
    struct turn *turn = context;
    unsigned same = 0;
    if (tenant_of(turn, message->tenant) == NULL)
        return false; /* until its certificate is configured */
    struct application *application = application_of(turn, message->client);
    if (application == NULL || (application->retry_us > turn->now_us && !turn->hurried))
        return false;
    for (uint32_t i = 0; i < turn->picked_count; i++)
        same += turn->picked[i] == application;
    if (same == OF_ONE_MAX) {
        turn->more = true;
        return false;
    }
    turn->picked[turn->picked_count++] = application;
    return true;
}

static bool read_box(struct turn *turn, struct store_outbox_place from) {
    struct deliveries *deliveries = turn->deliveries;
    if (store_read_begin(deliveries->reader) != STATUS_OK)
        return false;
    const struct store_outbox_ask ask = {from, TURN_MAX, want, turn};
    enum status status = store_outbox_read(deliveries->reader, &ask, &turn->arena, &turn->box);
    store_read_end(deliveries->reader);
    return status == STATUS_OK;
}

/* One stretch of the queue; behind the last it begins anew. */
static bool read_on(struct turn *turn) {
    struct deliveries *deliveries = turn->deliveries;
    if (!read_box(turn, deliveries->place))
        return false;
    const struct store_outbox *box = &turn->box;
    deliveries->passed_over |= turn->more || box->count == TURN_MAX;
    deliveries->place = box->more ? box->next : (struct store_outbox_place){.due = 0};
    turn->more = box->more || deliveries->passed_over;
    if (!box->more)
        deliveries->passed_over = false;
    return true;
}

/* For the metrics, from the first on: without a plan nothing is wanted. */
static void count(struct deliveries *deliveries) {
    struct turn turn = {.deliveries = deliveries};
    if (read_box(&turn, (struct store_outbox_place){.due = 0})) {
        int64_t age = store_time_ms(deliveries->store) - turn.box.oldest;
        atomic_store(&deliveries->waiting, turn.box.waiting);
        atomic_store(&deliveries->oldest_ms, turn.box.waiting != 0 && age > 0 ? (uint64_t)age : 0);
    }
    arena_release(&turn.arena);
}

/* ---- where */

static void want_document(struct turn *turn, struct application *application) {
    if (application->fresh_until_us > turn->now_us)
        return;
    for (uint32_t i = 0; i < turn->document_count; i++)
        if (turn->documents[i] == application)
            return;
    turn->fetches[turn->document_count] =
        (struct fetch){.url = application->url, .ca_file = turn->plan.ca_file};
    turn->documents[turn->document_count++] = application;
}

static const char *document_refused(const struct turn *turn, const struct parcel *parcel,
                                    const char *const causes[TURN_MAX]) {
    for (uint32_t i = 0; i < turn->document_count; i++)
        if (turn->documents[i] == parcel->application)
            return causes[i];
    return NULL;
}

static void fetch_documents(struct turn *turn) {
    struct fetch *batch[TURN_MAX];
    const char *causes[TURN_MAX] = {NULL};
    unsigned size = 0;
    for (uint32_t i = 0; i < turn->box.count; i++)
        want_document(turn, turn->parcels[i].application);
    for (uint32_t i = 0; i < turn->document_count; i++) {
        if (application_url_allowed(span_of_text(turn->documents[i]->url)))
            batch[size++] = &turn->fetches[i];
        else
            turn->fetches[i].failure = "its id is no https URL";
    }
    if (size != 0)
        courier_fetch(turn->deliveries->courier, batch, size);
    for (uint32_t i = 0; i < turn->document_count; i++)
        causes[i] = application_learn(turn->documents[i], &turn->fetches[i], turn->now_us);
    for (uint32_t i = 0; i < turn->box.count; i++)
        turn->parcels[i].cause = document_refused(turn, &turn->parcels[i], causes);
}

/* ---- sending */

static const char *const json_headers[] = {"Content-Type: application/json", NULL};

static void send_parcels(struct turn *turn) {
    struct fetch *batch[TURN_MAX];
    unsigned size = 0;
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        if (!span_present(parcel->message->token))
            parcel->cause = "its token cannot be opened";
        if (parcel->cause != NULL)
            continue;
        application_withdrawal(parcel->message->token, &parcel->body);
        parcel->fetch = (struct fetch){.url = parcel->application->endpoint,
                                       .body = buffer_span(&parcel->body),
                                       .headers = json_headers,
                                       .cert_file = parcel->tenant->cert_file,
                                       .key_file = parcel->tenant->key_file,
                                       .ca_file = turn->plan.ca_file,
                                       .status_alone = true};
        parcel->posted = true;
        batch[size++] = &parcel->fetch;
    }
    if (size != 0)
        courier_fetch(turn->deliveries->courier, batch, size);
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        int status = parcel->fetch.status;
        if (parcel->posted && (status < 200 || status > 299))
            parcel->cause = status != 0 ? "it did not take the message" : parcel->fetch.failure;
    }
}

/* ---- what came of it */

static struct store_delivery judge(struct turn *turn, struct parcel *parcel,
                                   struct store_change *change) {
    const struct store_message *message = parcel->message;
    struct deliveries *deliveries = turn->deliveries;
    int64_t now = store_time_ms(deliveries->store);
    struct store_delivery delivery = {
        .consent = message->consent, .state = STORE_MESSAGE_SENT, .http = parcel->fetch.status};
    if (parcel->posted)
        delivery.endpoint = arena_copy(&change->arena, span_of_text(parcel->application->endpoint));
    if (parcel->cause == NULL) {
        application_took(parcel->application);
        return delivery;
    }
    delivery.cause = span_of_text(parcel->cause);
    bool hopeless = !span_present(message->token);
    bool late = now - message->queued_at >= (int64_t)turn->plan.give_up_s * 1000;
    delivery.state = late || hopeless ? STORE_MESSAGE_GIVEN_UP : STORE_MESSAGE_WAITING;
    delivery.due = now + application_delay_ms(turn->plan.retry_s, message->attempts);
    return delivery;
}

static void report(struct deliveries *deliveries, const struct parcel *parcel,
                   const struct store_delivery *delivery) {
    if (delivery->state == STORE_MESSAGE_SENT) {
        atomic_fetch_add(&deliveries->sent, 1);
        return;
    }
    bool given_up = delivery->state == STORE_MESSAGE_GIVEN_UP;
    atomic_fetch_add(given_up ? &deliveries->given_up : &deliveries->failed, 1);
    log_event(given_up ? LOG_ERROR : LOG_WARN, given_up ? "message.given_up" : "message.failed",
              LOG_SPAN("client", parcel->message->client), LOG_TEXT("why", parcel->cause),
              LOG_INT("status", delivery->http),
              LOG_INT("attempts", parcel->message->attempts + 1));
}

/* An application that failed waits once, however many of its messages did. */
static void hold_back(struct turn *turn) {
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        if (parcel->cause != NULL && parcel->application->retry_us <= turn->now_us)
            (void)application_failed(parcel->application, turn->plan.retry_s, turn->now_us);
    }
}

static void settle(struct turn *turn) {
    struct deliveries *deliveries = turn->deliveries;
    struct store_change *change = store_change_new();
    struct store_delivery *list = arena_array(&change->arena, TURN_MAX, sizeof *list);
    change->op = STORE_DELIVER;
    for (uint32_t i = 0; i < turn->box.count; i++)
        list[i] = judge(turn, &turn->parcels[i], change);
    change->deliveries = list;
    change->delivery_count = turn->box.count;
    hold_back(turn);
    bool written = courier_write(deliveries->courier, change);
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        if (written)
            report(deliveries, parcel, &list[i]);
        else /* it will go again, but not at once */
            (void)application_failed(parcel->application, turn->plan.retry_s, turn->now_us);
    }
    store_change_free(change);
}

static void wipe(struct turn *turn) {
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        struct span token = parcel->message->token;
        if (span_present(token))
            seal_wipe((char *)(uintptr_t)token.data, token.size);
        if (parcel->body.size != 0)
            seal_wipe(parcel->body.data, parcel->body.size);
        buffer_release(&parcel->body);
        buffer_release(&parcel->fetch.answer);
    }
    for (uint32_t i = 0; i < turn->document_count; i++)
        buffer_release(&turn->fetches[i].answer);
    arena_release(&turn->arena);
    arena_release(&turn->plan.arena);
}

static void address(struct turn *turn) {
    for (uint32_t i = 0; i < turn->box.count; i++) {
        struct parcel *parcel = &turn->parcels[i];
        parcel->message = &turn->box.items[i];
        parcel->application = turn->picked[i];
        parcel->tenant = tenant_of(turn, parcel->message->tenant);
    }
}

/* At once where a turn did not hold all that could go; else when the next message, or application,
 * is due. */
static int64_t next_us(const struct turn *turn) {
    int64_t next = turn->now_us + IDLE_US;
    if (turn->more)
        return turn->now_us;
    if (turn->box.next_due != INT64_MAX) {
        int64_t left_ms = turn->box.next_due - store_time_ms(turn->deliveries->store);
        int64_t due_us = turn->now_us + (left_ms > 0 ? left_ms : 0) * 1000;
        next = due_us < next ? due_us : next;
    }
    for (uint32_t i = 0; i < APPLICATIONS_MAX && turn->box.waiting != 0; i++) {
        int64_t retry_us = turn->deliveries->applications[i].retry_us;
        if (retry_us > turn->now_us && retry_us < next)
            next = retry_us;
    }
    return next;
}

static int64_t run(void *context, bool hurried) {
    struct turn turn = {.deliveries = context, .hurried = hurried, .now_us = service_now_us()};
    take_plan(&turn);
    bool read = store_ready(turn.deliveries->store) && read_on(&turn);
    address(&turn);
    if (read)
        count(context);
    if (read && turn.box.count != 0) {
        fetch_documents(&turn);
        send_parcels(&turn);
        if (!courier_stopping(turn.deliveries->courier)) {
            settle(&turn);
            count(context);
        }
    }
    int64_t next = read ? next_us(&turn) : turn.now_us + IDLE_US;
    wipe(&turn);
    return next;
}

/* ---- life */

enum status deliveries_open(struct store *store, const struct config *config,
                            struct deliveries **out) {
    struct deliveries *deliveries = mem_alloc_zeroed(1, sizeof *deliveries);
    deliveries->store = store;
    enum status status = store_reader_open(store, &deliveries->reader);
    if (status != STATUS_OK) {
        mem_free(deliveries);
        return status;
    }
    pthread_mutex_init(&deliveries->lock, NULL);
    deliveries_put(deliveries, config);
    *out = deliveries;
    return STATUS_OK;
}

void deliveries_join(struct deliveries *deliveries, struct courier *courier) {
    deliveries->courier = courier;
    courier_add(courier, (struct courier_job){run, deliveries, .awaited = false});
}

void deliveries_close(struct deliveries *deliveries) {
    if (deliveries == NULL)
        return;
    store_reader_close(deliveries->reader);
    arena_release(&deliveries->plan.arena);
    pthread_mutex_destroy(&deliveries->lock);
    mem_free(deliveries);
}

void deliveries_stats_get(const struct deliveries *deliveries, struct deliveries_stats *out) {
    *out = (struct deliveries_stats){
        .waiting = atomic_load(&deliveries->waiting),
        .oldest_ms = atomic_load(&deliveries->oldest_ms),
        .sent = atomic_load(&deliveries->sent),
        .failed = atomic_load(&deliveries->failed),
        .given_up = atomic_load(&deliveries->given_up),
    };
}
