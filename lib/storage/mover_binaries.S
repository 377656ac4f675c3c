// The two programs that scripts/mover builds, byte for byte; MOVER_AMD64 and MOVER_ARM64 are their paths.
        .section .rodata
        .balign 16
        .global truenas_mover_amd64
        .global truenas_mover_amd64_end
        .global truenas_mover_arm64
        .global truenas_mover_arm64_end
truenas_mover_amd64:
        .incbin MOVER_AMD64
truenas_mover_amd64_end:
        .balign 16
truenas_mover_arm64:
        .incbin MOVER_ARM64
truenas_mover_arm64_end:
        .byte 0
        .section .note.GNU-stack,"",%progbits
