/* Embeds the documents of assets.h; assembled in the top folder. */
// SPDX-License-Identifier: Apache-2.0

        .section .rodata
        .balign 16

#define EMBED(name, file)        \
        .globl  name##_begin   ; \
        .globl  name##_end     ; \
        .hidden name##_begin   ; \
        .hidden name##_end     ; \
name##_begin:                  ; \
        .incbin file           ; \
name##_end:                    ; \
        .byte   0

EMBED(api_assets_openapi, "openapi.yaml")
EMBED(api_assets_docs, "api/assets/docs.html")

        /* The stack is never executable. */
        .section .note.GNU-stack, "", @progbits
