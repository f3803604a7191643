/* The paths that conditions may name, and what stands at their ends. A path that is not here is
 * refused when the pack is loaded: a misspelt one would never match, and a denial written with it
 * would never deny. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/pack_path.h"

#include "policy/pack_private.h"

static const struct pack_path paths[] = {
    {"subject.type", POLICY_SUBJECT_TYPE, PACK_TEXT},
    {"subject.id", POLICY_SUBJECT_ID, PACK_TEXT},
    {"subject.properties.", POLICY_SUBJECT_PROPERTY, PACK_ANY},
    {"action.name", POLICY_ACTION_NAME, PACK_TEXT},
    {"action.properties.", POLICY_ACTION_PROPERTY, PACK_ANY},
    {"resource.type", POLICY_RESOURCE_TYPE, PACK_TEXT},
    {"resource.id", POLICY_RESOURCE_ID, PACK_TEXT},
    {"resource.properties.", POLICY_RESOURCE_PROPERTY, PACK_ANY},
    {"context.", POLICY_CONTEXT, PACK_ANY},
    {"consent.status", POLICY_CONSENT_STATUS, PACK_TEXT},
    {"consent.tenant", POLICY_CONSENT_TENANT, PACK_TEXT},
    {"consent.provider", POLICY_CONSENT_PROVIDER, PACK_TEXT},
    {"consent.client", POLICY_CONSENT_CLIENT, PACK_TEXT},
    {"consent.license", POLICY_CONSENT_LICENSE, PACK_TEXT},
    {"consent.principal.type", POLICY_CONSENT_PRINCIPAL_TYPE, PACK_TEXT},
    {"consent.purposes", POLICY_CONSENT_PURPOSES, PACK_SET},
    {"consent.permissions", POLICY_CONSENT_PERMISSIONS, PACK_SET},
    {"consent.onwardRecipients", POLICY_CONSENT_ONWARD_RECIPIENTS, PACK_SET},
    {"consent.lastGranted", POLICY_CONSENT_LAST_GRANTED, PACK_TIME},
    {"consent.expires", POLICY_CONSENT_EXPIRES, PACK_TIME},
    {"consent.dataFrom", POLICY_CONSENT_DATA_FROM, PACK_TIME},
    {"consent.dataTo", POLICY_CONSENT_DATA_TO, PACK_TIME},
    {"consent.maxUses", POLICY_CONSENT_MAX_USES, PACK_NUMBER},
    {"license.url", POLICY_LICENSE_URL, PACK_TEXT},
    {"license.from", POLICY_LICENSE_FROM, PACK_TEXT},
    {"license.to", POLICY_LICENSE_TO, PACK_TEXT},
    {"license.purposes", POLICY_LICENSE_PURPOSES, PACK_SET},
    {"license.permissions", POLICY_LICENSE_PERMISSIONS, PACK_SET},
};

static bool is_word(struct span word) {
    for (size_t i = 0; i < word.size; i++) {
        char c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return word.size > 0;
}

/* The words between the dots of rest; false when one is none. */
static bool split(struct arena *arena, struct span rest, struct policy_condition *out) {
    uint32_t dots = 0;
    for (size_t i = 0; i < rest.size; i++)
        dots += rest.data[i] == '.';
    struct span *steps = arena_array(arena, (size_t)dots + 1, sizeof *steps);
    out->step_count = 0;
    for (uint32_t i = 0; i <= dots; i++) {
        const char *dot = rest.size != 0 ? memchr(rest.data, '.', rest.size) : NULL;
        size_t size = dot != NULL ? (size_t)(dot - rest.data) : rest.size;
        steps[i] = span_of(rest.data, size);
        if (!is_word(steps[i]))
            return false;
        rest = dot != NULL ? span_of(dot + 1, rest.size - size - 1) : SPAN_NONE;
    }
    out->steps = steps;
    out->step_count = dots + 1;
    return true;
}

const struct pack_path *pack_path_find(struct arena *arena, struct span path,
                                       struct policy_condition *out) {
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct span name = span_of_text(paths[i].name);
        bool open = paths[i].kind == PACK_ANY;
        if (open ? !span_starts(path, name) : !span_equal(path, name))
            continue;
        out->operand = paths[i].operand;
        if (open && !split(arena, span_of(path.data + name.size, path.size - name.size), out))
            return NULL;
        return &paths[i];
    }
    return NULL;
}
