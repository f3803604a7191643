/* The verifiers against proofs of other software and about twenty mutations of each, every file
 * with the verdict that it must get. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_merkle.h"

#include <ftw.h>

/* Their roots are a few words, of which only is compared whether they are equal. */
static const char *const placeholders[] = {
    "sizes-are-equal-one-and-proof-is-empty.json",
    "sizes-are-equal-zero-and-proof-is-empty.json",
};

static unsigned accepted, refused;

static bool is_placeholder(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; i < COUNT(placeholders); i++)
        if (strcmp(name, placeholders[i]) == 0)
            return true;
    return false;
}

/* False for what is not 32 bytes: no such thing reaches a verifier. */
static bool hash_of_base64(const json_t *value, bool placeholder, struct digest *out) {
    struct span text = span_of(json_string_value(value), json_string_length(value));
    unsigned char bytes[256] = {0};
    size_t size;
    assert_true(json_is_string(value));
    assert_int_equal(decode_base64(text, bytes, sizeof bytes, &size), STATUS_OK);
    memcpy(out->bytes, bytes, DIGEST_SIZE);
    return size == DIGEST_SIZE || (placeholder && size < DIGEST_SIZE);
}

static bool path_of_base64(const json_t *hashes, struct tlog_path *out) {
    bool right = true;
    out->count = (uint32_t)json_array_size(hashes);
    assert_true(out->count <= TLOG_PATH_MAX);
    for (uint32_t i = 0; i < out->count; i++)
        right &= hash_of_base64(json_array_get(hashes, i), false, &out->hashes[i]);
    return right;
}

static bool inclusion(const json_t *vector, const char *file) {
    struct tlog_path path;
    struct tlog_head head = {number_at(vector, "treeSize"), {{0}}};
    struct digest leaf;
    (void)file;
    bool right = path_of_base64(json_object_get(vector, "proof"), &path);
    right &= hash_of_base64(json_object_get(vector, "root"), false, &head.root);
    right &= hash_of_base64(json_object_get(vector, "leafHash"), false, &leaf);
    return right && tlog_inclusion_verify(&path, number_at(vector, "leafIdx"), &leaf, &head);
}

static bool consistency(const json_t *vector, const char *file) {
    struct tlog_path path;
    struct tlog_head old = {number_at(vector, "size1"), {{0}}};
    struct tlog_head head = {number_at(vector, "size2"), {{0}}};
    bool placeholder = is_placeholder(file);
    bool right = path_of_base64(json_object_get(vector, "proof"), &path);
    right &= hash_of_base64(json_object_get(vector, "root1"), placeholder, &old.root);
    right &= hash_of_base64(json_object_get(vector, "root2"), placeholder, &head.root);
    return right && tlog_consistency_verify(&path, &old, &head);
}

/* jansson has no integers beyond int64: the one that occurs is read as -1, which is the same in 64
 * bits. */
static json_t *vector_load(const char *file) {
    static const char largest[] = "18446744073709551615";
    struct span text = whole_file(file);
    json_error_t error;
    assert_true(span_present(text));
    char *at = strstr(text.data, largest);
    if (at != NULL)
        memcpy(at, "-1                  ", sizeof largest - 1);
    json_t *vector = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (vector == NULL)
        fail_msg("%s: %s", file, error.text);
    file_free(text);
    return vector;
}

static int judge(const char *file, const struct stat *s, int kind) {
    (void)s;
    if (kind != FTW_F)
        return 0;
    json_t *vector = vector_load(file);
    const json_t *wrong = json_object_get(vector, "wantErr");
    assert_true(json_is_boolean(wrong));
    bool holds = json_object_get(vector, "leafIdx") != NULL ? inclusion(vector, file)
                                                            : consistency(vector, file);
    if (holds != json_is_false(wrong))
        fail_msg("%s: %s", file, holds ? "was accepted" : "was refused");
    accepted += holds;
    refused += !holds;
    json_decref(vector);
    return 0;
}

static void judge_all(const char *folder, unsigned right, unsigned wrong) {
    if (access(folder, R_OK) != 0)
        skip_without_vectors();
    accepted = refused = 0;
    assert_int_equal(ftw(folder, judge, 8), 0);
    assert_int_equal(accepted, right);
    assert_int_equal(refused, wrong);
}

static void inclusion_proofs_of_others_get_their_verdict(void **state) {
    (void)state;
    judge_all(SHARED_VECTORS "merkle/inclusion", 6, 92);
}

static void consistency_proofs_of_others_get_their_verdict(void **state) {
    (void)state;
    judge_all(SHARED_VECTORS "merkle/consistency", 6, 92);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_proofs_of_others_get_their_verdict),
        cmocka_unit_test(consistency_proofs_of_others_get_their_verdict),
    };
    return cmocka_run_group_tests_name("tlog/merkle, vectors of others", tests, NULL, NULL);
}
