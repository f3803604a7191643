/* From method and path to a handler. The table of routes is the list of everything the service
 * does; a test holds it against openapi.yaml both ways. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/api.h"

enum api_body {
    API_NO_BODY,       /* none is read; one that comes is not looked at */
    API_JSON_BODY,     /* application/json, required */
    API_JSON_OPTIONAL, /* application/json, or none */
    API_ACCESS_BODY,   /* application/json, and 400 for anything else (AuthZEN, section 10.1) */
    API_FORM_BODY,     /* application/x-www-form-urlencoded, required */
};
enum api_door {
    API_CLOSED,      /* needs a token */
    API_OPEN,        /* needs none */
    API_OPEN_LOG,    /* needs none where the log is public (configuration) */
    API_HOOK,        /* needs the key of a tenant's authorization server, which tells the tenant */
    API_CERTIFICATE, /* needs a Directory certificate, and nothing else: it is the principal */
};
struct api_route {
    const char *method; /* GET routes answer HEAD as well */
    const char *path;   /* template: one segment may be {id}, {digest} or {name}; a last {tile}
                           stands for one or more */
    unsigned scopes;    /* any of these; 0: any valid token */
    enum api_door door;
    enum api_body body;
    const char *produces; /* media types besides application/problem+json, comma separated */
    enum api_outcome (*handle)(struct api_call *call);
    enum api_outcome (*reply)(struct api_call *call, struct store_change *change); /* or NULL */
};

/* The routes, ended by one without a method. */
extern const struct api_route api_routes[];

/* Finds the route for call->method and call->path and sets call->route and call->path_id.
 * STATUS_NOT_FOUND; STATUS_METHOD_NOT_ALLOWED with the methods the path has in allow, comma
 * separated. Paths are taken as they are: only %2D, %2E, %5F, %7E and letters and digits may be
 * percent-encoded (RFC 3986 section 2.3), everything else encoded finds nothing. */
MUST_CHECK enum status api_route_find(struct api_call *call, char allow[64]);

#endif
