/* Putting settings in force, at start and on SIGHUP. Main thread. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_RELOAD_H
#define SERVICE_RELOAD_H

#include "service/service.h"

/* Puts service->settings in force: the pack durably in the store, then keys, api settings, bounds
 * and log level for the loops. previous: what was in force, NULL at start. False, and nothing
 * changed, when the store does not take the pack: *why, a static sentence, says what it lacks. */
bool settings_activate(struct service *service, const struct settings *previous, const char **why);
/* Reads everything anew and puts it in force, or keeps what is and logs why. Also confirms the wall
 * clock after a step (invariant 7), and asks the witnesses at once: a SIGHUP is an operator's word.
 */
void service_reload(struct service *service);

#endif
