/* RFC 3339 in UTC, and calendar arithmetic. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/timestamp.h"

#include <stdio.h>

#include "base/log.h"

#define DAY_MS INT64_C(86400000)

struct date {
    int year, month, day; /* month and day from 1 */
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that the leap
 * day is a year's last. */
static int64_t days_of(struct date d) {
    int64_t y = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = y / 400, in_era = y - era * 400;
    int64_t in_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static struct date date_of(int64_t days) {
    days += 719468;
    int64_t era = days / 146097, in_era = days - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    struct date d = {.day = (int)(in_year - (153 * month + 2) / 5 + 1),
                     .month = (int)(month < 10 ? month + 3 : month - 9)};
    d.year = (int)(year + era * 400 + (d.month <= 2 ? 1 : 0));
    return d;
}

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Takes count digits and, when it is not 0, the character after them. */
static bool number(struct span *text, size_t count, char after, int *out) {
    int value = 0;
    if (text->size < count + (after != 0))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        value = value * 10 + (text->data[i] - '0');
    }
    if (after != 0 && text->data[count] != after)
        return false;
    text->data += count + (after != 0);
    text->size -= count + (after != 0);
    *out = value;
    return true;
}

/* ":SS", then perhaps ".f…": the rest of a time before its Z. */
static bool seconds(struct span *text, int *second, int *ms) {
    if (text->size == 0 || text->data[0] != ':')
        return true;
    text->data++, text->size--;
    if (!number(text, 2, 0, second))
        return false;
    if (text->size == 0 || text->data[0] != '.')
        return true;
    text->data++, text->size--;
    int digits = 0, weight = 100;
    for (; text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
        *ms += (text->data[0] - '0') * weight;
        weight /= 10;
        text->data++, text->size--;
    }
    return digits > 0;
}

enum status timestamp_parse(struct span text, int64_t *out_ms) {
    struct date d;
    int hour, minute, second = 0, ms = 0;
    if (!number(&text, 4, '-', &d.year) || !number(&text, 2, '-', &d.month) ||
        !number(&text, 2, 'T', &d.day) || !number(&text, 2, ':', &hour) ||
        !number(&text, 2, 0, &minute) || !seconds(&text, &second, &ms) || !span_is(text, "Z"))
        return STATUS_INVALID_PARAMETER;
    if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_in_month(d.year, d.month) || hour > 23 || minute > 59 || second > 59)
        return STATUS_INVALID_PARAMETER;
    *out_ms = days_of(d) * DAY_MS + ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
    return STATUS_OK;
}

static void put(char *at, int width, int64_t value) {
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

void timestamp_format(int64_t time_ms, char out[TIMESTAMP_SIZE + 1]) {
    ASSERT(time_ms >= 0 && time_ms <= TIMESTAMP_MAX);
    struct date d = date_of(time_ms / DAY_MS);
    int64_t in_day = time_ms % DAY_MS;
    memcpy(out, "0000-00-00T00:00:00.000Z", TIMESTAMP_SIZE + 1);
    put(out, 4, d.year);
    put(out + 5, 2, d.month);
    put(out + 8, 2, d.day);
    put(out + 11, 2, in_day / 3600000);
    put(out + 14, 2, in_day / 60000 % 60);
    put(out + 17, 2, in_day / 1000 % 60);
    put(out + 20, 3, in_day % 1000);
}

int64_t timestamp_add_months(int64_t time_ms, int months) {
    struct date d = date_of(time_ms / DAY_MS);
    int count = d.year * 12 + d.month - 1 + months;
    d.year = count / 12;
    d.month = count % 12 + 1;
    if (d.day > days_in_month(d.year, d.month))
        d.day = days_in_month(d.year, d.month);
    return days_of(d) * DAY_MS + time_ms % DAY_MS;
}

int64_t timestamp_month_start(int64_t time_ms) {
    struct date d = date_of(time_ms / DAY_MS);
    d.day = 1;
    return days_of(d) * DAY_MS;
}

enum status duration_parse(struct span text, struct duration *out) {
    int n = 0;
    bool time = text.size > 1 && text.data[1] == 'T';
    size_t at = time ? 2 : 1, digits = 0;
    if (text.size < at + 2 || text.data[0] != 'P')
        return STATUS_INVALID_PARAMETER;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++, digits++) {
        if (digits == 4)
            return STATUS_INVALID_PARAMETER;
        n = n * 10 + (text.data[at] - '0');
    }
    if (at + 1 != text.size)
        return STATUS_INVALID_PARAMETER;
    static const struct {
        char letter;
        bool time;
        int months;
        int64_t seconds;
    } units[] = {{'Y', false, 12, 0},    {'M', false, 1, 0},   {'W', false, 0, 604800},
                 {'D', false, 0, 86400}, {'H', true, 0, 3600}, {'M', true, 0, 60},
                 {'S', true, 0, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].letter == text.data[at] && units[i].time == time) {
            *out = (struct duration){n * units[i].months, n * units[i].seconds};
            return STATUS_OK;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

int64_t timestamp_add(int64_t time_ms, struct duration duration) {
    int64_t sum = timestamp_add_months(time_ms, duration.months) + duration.seconds * 1000;
    return sum < TIMESTAMP_MAX ? sum : TIMESTAMP_MAX;
}
