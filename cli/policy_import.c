/* consentctl policy import-text: puts a licence's wording into a pack, as a new pack. What else the
 * pack says stays as it is, in its order; a pack is known by its digest, so the old file is never
 * touched. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "cli/file.h"
#include "cli/options.h"

#define COMMAND "policy import-text"
#define HEX_SIZE (2 * DIGEST_SIZE + 1)

static const char help[] =
    "Usage: consentctl policy import-text PACK --license URL --language TAG --file TEXT --out NEW\n"
    "\n"
    "Writes the pack NEW: PACK with the wording in TEXT (UTF-8, every byte of the file) as the "
    "text\n"
    "of a licence in a language. A licence without a textDigest gets the one of this text. The\n"
    "service then recomputes the digests of notices in this language (docs/packs.md). NEW is\n"
    "written only when it is a valid pack, and must not exist yet.\n"
    "\n"
    "  --license URL   the licence\n"
    "  --language TAG  the language of the text: en, cy\n"
    "  --file TEXT     the text\n"
    "  --out NEW       the pack to write\n"
    "\n"
    "Exit codes: 0 written, 1 the outcome would be no valid pack or cannot be written, 2 a file\n"
    "cannot be read.\n";

struct arguments {
    const char *pack;
    struct span license, language, file, out;
};

static bool read_arguments(int argc, char **argv, struct arguments *out) {
    const struct cli_word words[] = {{"PACK", &out->pack}};
    const struct cli_option options[] = {
        {"license", true, &out->license},
        {"language", true, &out->language},
        {"file", true, &out->file},
        {"out", true, &out->out},
    };
    return cli_words_take(COMMAND, &argc, &argv, words, 1) &&
           cli_options_read(COMMAND, argc, argv, options, sizeof options / sizeof options[0]);
}

static json_t *find_license(json_t *root, struct span url) {
    json_t *licenses = json_object_get(root, "licenses");
    for (size_t i = 0; i < json_array_size(licenses); i++) {
        json_t *license = json_array_get(licenses, i);
        if (span_is(url, json_string_value(json_object_get(license, "url")))) {
            return license;
        }
    }
    return NULL;
}

static void digest_text(struct span text, char out[HEX_SIZE]) {
    struct digest digest = digest_sha256(text);
    encode_hex(digest.bytes, sizeof digest.bytes, out);
    out[HEX_SIZE - 1] = '\0';
}

/* false after a sentence. */
static bool add_text(json_t *root, const struct arguments *arguments, struct span text) {
    char hex[HEX_SIZE];
    json_t *license = find_license(root, arguments->license);
    json_t *wording = json_stringn(text.data, text.size);
    if (license == NULL || wording == NULL) {
        cli_complain(COMMAND,
                     license == NULL ? "%.*s is no licence of the pack"
                                     : "%.*s: the file is not UTF-8",
                     SPAN_ARG(license == NULL ? arguments->license : arguments->file));
        json_decref(wording);
        return false;
    }
    if (json_object_get(license, "textDigest") == NULL) {
        digest_text(text, hex);
        json_object_set_new(license, "textDigest", json_string(hex));
    }
    json_t *texts = json_object_get(license, "texts");
    if (texts == NULL) {
        texts = json_array();
        json_object_set_new(license, "texts", texts);
    }
    json_array_append_new(
        texts, json_pack("{s:s, s:o}", "language", arguments->language.data, "text", wording));
    return true;
}

static int append(const char *bytes, size_t size, void *buffer) {
    buffer_append(buffer, bytes, size);
    return 0;
}

static bool write_all(int fd, struct span bytes) {
    while (bytes.size > 0) {
        ssize_t put = write(fd, bytes.data, bytes.size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            bytes = span_of(bytes.data + put, bytes.size - (size_t)put);
        }
    }
    return fsync(fd) == 0;
}

static enum cli_exit write_new(const char *path, struct span bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        cli_complain(COMMAND, "%s: %s", path, strerror(errno));
        return CLI_FAILED;
    }
    bool written = write_all(fd, bytes);
    int code = errno;
    close(fd);
    if (!written) {
        unlink(path);
        cli_complain(COMMAND, "%s: %s", path, strerror(code));
        return CLI_FAILED;
    }
    return CLI_OK;
}

static enum cli_exit make(const struct arguments *arguments, json_t *root, struct span text) {
    struct buffer bytes = {0};
    struct policy_pack *made = NULL;
    char hex[HEX_SIZE];
    enum cli_exit ended = CLI_FAILED;
    if (add_text(root, arguments, text)) {
        (void)json_dump_callback(root, append, &bytes, JSON_INDENT(2));
        buffer_append_text(&bytes, "\n");
        ended = cli_pack_load(COMMAND, arguments->out.data, buffer_span(&bytes), &made);
    }
    if (ended == CLI_OK) {
        ended = write_new(arguments->out.data, buffer_span(&bytes));
    }
    if (ended == CLI_OK) {
        digest_text(buffer_span(&bytes), hex);
        printf("digest         %s\n", hex);
        digest_text(text, hex);
        printf("text           %s\n", hex);
    }
    policy_pack_free(made);
    buffer_release(&bytes);
    return ended;
}

static enum cli_exit import(const struct arguments *arguments) {
    struct policy_pack *pack = NULL;
    struct buffer text = {0};
    enum cli_exit ended = cli_pack_read(COMMAND, arguments->pack, &pack);
    if (ended == CLI_OK) {
        ended = cli_file_read(COMMAND, arguments->file.data, LIMIT_PACK, &text);
    }
    if (ended == CLI_OK) {
        struct span bytes = policy_pack_bytes(pack);
        json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
        ended = make(arguments, root, buffer_span(&text));
        json_decref(root);
    }
    policy_pack_free(pack);
    buffer_release(&text);
    return ended;
}

static enum cli_exit run(int argc, char **argv) {
    struct arguments arguments = {.pack = NULL};
    if (!read_arguments(argc, argv, &arguments)) {
        return CLI_USAGE;
    }
    return cli_finish(COMMAND, import(&arguments));
}

const struct cli_command cli_policy_import_text_command = {
    .name = "import-text",
    .summary = "put a licence's wording into a pack",
    .help = help,
    .run = run,
};
