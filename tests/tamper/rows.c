/* Changes one row of a stopped store, as whoever can write its files can, with LMDB and nothing of
 * ours, for the tests that show how it is found (tests/e2e/test_tamper.py):
 *
 *   rows DIR TABLE get KEY
 *   rows DIR TABLE put KEY VALUE
 *   rows DIR TABLE del KEY
 *
 * Keys and values are hex digits; get prints the value. Exit code 1 when it fails. */
// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#define TABLES_MAX 64
#define MAP_SIZE (1UL << 40) /* as the service's */

static void must(int code, const char *what) {
    if (code == 0)
        return;
    fprintf(stderr, "rows: %s: %s\n", what, mdb_strerror(code));
    exit(1);
}

static int digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    must(at == NULL ? MDB_BAD_VALSIZE : 0, "hex digits");
    return (int)(at - digits);
}

/* The bytes, in place of the text. */
static MDB_val bytes_of(char *hex) {
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++)
        hex[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return (MDB_val){size, hex};
}

static void print(MDB_val value) {
    for (size_t i = 0; i < value.mv_size; i++)
        printf("%02x", ((const unsigned char *)value.mv_data)[i]);
    printf("\n");
}

int main(int argc, char **argv) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_val value;
    bool get = argc == 5 && strcmp(argv[3], "get") == 0;
    bool put = argc == 6 && strcmp(argv[3], "put") == 0;
    if (!get && !put && !(argc == 5 && strcmp(argv[3], "del") == 0)) {
        fputs("rows DIR TABLE get|put|del KEY [VALUE]\n", stderr);
        return 1;
    }
    MDB_val key = bytes_of(argv[4]);
    must(mdb_env_create(&env), "env");
    must(mdb_env_set_maxdbs(env, TABLES_MAX), "maxdbs");
    must(mdb_env_set_mapsize(env, MAP_SIZE), "mapsize");
    must(mdb_env_open(env, argv[1], 0, 0600), "open");
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    must(mdb_dbi_open(txn, argv[2], 0, &table), "table");
    if (get) {
        must(mdb_get(txn, table, &key, &value), "get");
        print(value);
    } else if (put) {
        value = bytes_of(argv[5]);
        must(mdb_put(txn, table, &key, &value, 0), "put");
    } else {
        must(mdb_del(txn, table, &key, NULL), "del");
    }
    must(mdb_txn_commit(txn), "commit");
    mdb_env_close(env);
    return 0;
}
