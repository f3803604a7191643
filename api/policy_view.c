/* What a pack allows, readable by the members it rules: roles, purposes, permissions and licences
 * by code and URL, never by the pack's internal numbers. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/policy_view.h"

#define SECONDS_A_DAY 86400

/* A duration as ISO 8601 with one designator, as duration_parse reads it. */
static void write_duration(struct json_out *out, const char *key, struct duration duration) {
    struct buffer text = {0};
    long long months = duration.months;
    long long seconds = duration.seconds;
    if (months > 0) {
        buffer_append_format(&text, "P%lld%c", months % 12 == 0 ? months / 12 : months,
                             months % 12 == 0 ? 'Y' : 'M');
    } else if (seconds > 0 && seconds % SECONDS_A_DAY == 0) {
        buffer_append_format(&text, "P%lldD", seconds / SECONDS_A_DAY);
    } else if (seconds > 0 && seconds % 3600 == 0) {
        buffer_append_format(&text, "PT%lldH", seconds / 3600);
    } else if (seconds > 0 && seconds % 60 == 0) {
        buffer_append_format(&text, "PT%lldM", seconds / 60);
    } else {
        buffer_append_format(&text, "PT%lldS", seconds);
    }
    json_out_member(out, key, buffer_span(&text));
    buffer_release(&text);
}

static void write_texts(struct json_out *out, const char *key, const struct span *items,
                        uint32_t count) {
    json_out_key(out, key);
    json_out_array_begin(out);
    for (uint32_t i = 0; i < count; i++) {
        json_out_string(out, items[i]);
    }
    json_out_array_end(out);
}

static void write_role_codes(struct json_out *out, const struct policy_pack *pack, uint64_t set) {
    json_out_key(out, "roles");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_role_count(pack); i++) {
        if ((set >> i & 1) != 0) {
            json_out_string(out, policy_pack_role(pack, i)->code);
        }
    }
    json_out_array_end(out);
}

static void write_roles(struct json_out *out, const struct policy_pack *pack) {
    json_out_key(out, "roles");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_role_count(pack); i++) {
        const struct policy_role *role = policy_pack_role(pack, i);
        json_out_object_begin(out);
        json_out_member(out, "code", role->code);
        write_texts(out, "urls", role->urls, role->url_count);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_purposes(struct json_out *out, const struct policy_pack *pack) {
    json_out_key(out, "purposes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++) {
        const struct policy_purpose *purpose = policy_pack_purpose(pack, i);
        json_out_object_begin(out);
        json_out_member(out, "code", purpose->code);
        json_out_member_optional(out, "title", purpose->title);
        json_out_member_optional(out, "text", purpose->text);
        write_role_codes(out, pack, purpose->roles);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_permissions(struct json_out *out, const struct policy_pack *pack) {
    json_out_key(out, "permissions");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        const struct policy_permission *permission = policy_pack_permission(pack, i);
        json_out_object_begin(out);
        json_out_member(out, "code", permission->code);
        json_out_member_optional(out, "title", permission->title);
        if (permission->has_granularity) {
            write_duration(out, "finestGranularity", permission->finest);
        }
        json_out_member_bool(out, "denied", permission->denied);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_license_sets(struct json_out *out, const struct policy_pack *pack,
                               const struct policy_license *license) {
    json_out_key(out, "purposes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++) {
        if ((license->purposes >> i & 1) != 0) {
            json_out_string(out, policy_pack_purpose(pack, i)->code);
        }
    }
    json_out_array_end(out);
    json_out_key(out, "permissions");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        if ((license->permissions >> i & 1) != 0) {
            json_out_string(out, policy_pack_permission(pack, i)->code);
        }
    }
    json_out_array_end(out);
}

static void write_license_limits(struct json_out *out, const struct policy_license *license) {
    if (license->has_term) {
        write_duration(out, "maximumTerm", license->term);
    }
    if (license->has_look_back) {
        write_duration(out, "lookBack", license->look_back);
    }
    json_out_member_bool(out, "wholeMonths", license->whole_months);
    write_texts(out, "dependsOn", license->depends_on, license->depends_on_count);
    json_out_key(out, "onwardRecipients");
    json_out_object_begin(out);
    json_out_member_int(out, "minimum", license->onward_min);
    json_out_member_int(out, "maximum", license->onward_max);
    json_out_object_end(out);
}

static void write_license_times(struct json_out *out, const struct policy_license *license) {
    if (license->available_from != INT64_MIN) {
        json_out_member_time(out, "availableFrom", license->available_from);
    }
    if (license->deprecated_after != INT64_MAX) {
        json_out_member_time(out, "deprecatedAfter", license->deprecated_after);
    }
    if (license->prohibited_after != INT64_MAX) {
        json_out_member_time(out, "prohibitedAfter", license->prohibited_after);
    }
    json_out_member_optional(out, "replacedBy", license->replaced_by);
}

static void write_license_text(struct json_out *out, const struct policy_license *license) {
    if (license->has_text_digest) {
        json_out_key(out, "textDigest");
        json_out_hex(out, license->text_digest.bytes, sizeof license->text_digest.bytes);
    }
    json_out_key(out, "textLanguages");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < license->text_count; i++) {
        json_out_string(out, license->texts[i].language);
    }
    json_out_array_end(out);
}

static void write_licenses(struct json_out *out, const struct policy_pack *pack) {
    json_out_key(out, "licenses");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++) {
        const struct policy_license *license = policy_pack_license(pack, i);
        json_out_object_begin(out);
        json_out_member(out, "url", license->url);
        json_out_member_optional(out, "title", license->title);
        json_out_member(out, "fromRole", policy_pack_role(pack, license->from_role)->code);
        json_out_member(out, "toRole", policy_pack_role(pack, license->to_role)->code);
        write_license_sets(out, pack, license);
        write_license_limits(out, license);
        write_license_times(out, license);
        write_license_text(out, license);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

void api_policy_view_identity(const struct policy_pack *pack, struct json_out *out) {
    json_out_member(out, "pack", policy_pack_name(pack));
    json_out_member(out, "version", policy_pack_version(pack));
    json_out_key(out, "digest");
    json_out_hex(out, policy_pack_digest(pack)->bytes, DIGEST_SIZE);
}

void api_policy_view(const struct policy_pack *pack, struct json_out *out) {
    json_out_object_begin(out);
    api_policy_view_identity(pack, out);
    json_out_member_optional(out, "scheme", policy_pack_scheme(pack));
    write_roles(out, pack);
    write_purposes(out, pack);
    write_permissions(out, pack);
    write_licenses(out, pack);
    json_out_object_end(out);
}
