/* Streams between two turns of their loop; see resting.h. */
// SPDX-License-Identifier: Apache-2.0
#include "service/resting.h"

#include "base/log.h"
#include "service/loop.h"
#include "service/respond.h"

static void link_to(struct exchange **head, struct exchange *exchange) {
    exchange->next_resting = *head;
    exchange->link_resting = head;
    if (exchange->next_resting != NULL)
        exchange->next_resting->link_resting = &exchange->next_resting;
    *head = exchange;
}

void resting_begin(struct exchange *exchange) {
    ASSERT(exchange->link_resting == NULL);
    link_to(&exchange->loop->resting, exchange);
    loop_tell(exchange->loop, LOOP_STREAMS);
}

void resting_end(struct exchange *exchange) {
    if (exchange->link_resting == NULL)
        return;
    *exchange->link_resting = exchange->next_resting;
    if (exchange->next_resting != NULL)
        exchange->next_resting->link_resting = exchange->link_resting;
    exchange->link_resting = NULL;
}

/* One that goes on may rest again, or end others of its connection. */
void resting_wake(struct loop *loop) {
    struct exchange *turn = NULL;
    while (loop->resting != NULL) {
        struct exchange *exchange = loop->resting;
        resting_end(exchange);
        link_to(&turn, exchange);
    }
    while (turn != NULL) {
        struct exchange *exchange = turn;
        resting_end(exchange);
        respond_go_on(exchange);
    }
}
