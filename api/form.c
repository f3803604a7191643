/* Form bodies, field by field. Pure, but for what it allocates. */
// SPDX-License-Identifier: Apache-2.0
#include "api/form.h"

#include "api/http_in.h"

#define FIELDS_MAX 8

static const struct api_form_field *find(const struct api_form_field *fields, struct span name) {
    for (; fields->name != NULL; fields++)
        if (span_is(name, fields->name))
            return fields;
    return NULL;
}

static bool printable(struct span text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return true;
}

static const char *take(const struct api_form_field *fields, struct span name, struct span value,
                        struct span *values) {
    const struct api_form_field *field = find(fields, name);
    if (field == NULL)
        return "the form has a field that this operation does not know";
    if (span_present(values[field - fields]))
        return "the form has a field twice";
    if (value.size == 0)
        return "the form has a field without a value";
    if (value.size > field->size_max)
        return "the form has a value that is too long";
    if (!printable(value))
        return "the form has a value with other characters than visible ASCII";
    values[field - fields] = value;
    return NULL;
}

bool api_form_read(struct arena *arena, struct span body, const struct api_form_field *fields,
                   const char **why) {
    struct span values[FIELDS_MAX], name, value;
    enum status status = STATUS_OK;
    const char *wrong = NULL;
    for (size_t i = 0; i < FIELDS_MAX; i++)
        values[i] = SPAN_NONE;
    while (wrong == NULL && api_query_next(arena, &body, &name, &value, &status))
        wrong = take(fields, name, value, values);
    if (wrong == NULL && status != STATUS_OK)
        wrong = "the body must be fields as name=value, percent-encoded, with & between them";
    for (size_t i = 0; fields[i].name != NULL && wrong == NULL; i++)
        if (fields[i].required && !span_present(values[i]))
            wrong = "the form lacks a field that is required";
    if (wrong != NULL) {
        *why = wrong;
        return false;
    }
    for (size_t i = 0; fields[i].name != NULL; i++)
        *fields[i].value = values[i];
    return true;
}
