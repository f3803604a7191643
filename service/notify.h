/* Tells the service manager how we are (sd_notify(3)), without libsystemd. Main thread. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

/* Sends "READY=1" or the like to NOTIFY_SOCKET; nothing when there is none. */
void notify(const char *state);

#endif
