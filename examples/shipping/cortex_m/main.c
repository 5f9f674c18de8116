/* The image for a Cortex-M4 without an operating system: vectors, a network in flash, 4 KB of workspace.

       python export.py build
       arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=softfp -mfpu=fpv4-sp-d16 -Os -ffreestanding -nostdlib \
           -nostartfiles -Ibuild -T flash.ld main.c build/wake_word.o -lgcc -Wl,--gc-sections,-z,noexecstack \
           -o wake_word.elf
       arm-none-eabi-size wake_word.elf
       qemu-system-arm -M mps2-an386 -nographic -semihosting -kernel wake_word.elf */

#include "wake_word.h"

extern unsigned stack_top, data_begin, data_end, data_in_flash, bss_begin, bss_end;

int main(void);

/* The compiler and the network ask for these two. */
void *memset(void *to, int value, size_t count)
{
    unsigned char *at = to;
    while (count--) *at++ = (unsigned char)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    while (count--) *at++ = *source++;
    return to;
}

static void reset(void)
{
    *(volatile unsigned *)0xE000ED88 |= 0xF << 20; /* the floating-point unit, which is off at first */
    __asm__ volatile("dsb\n\tisb");
    memcpy(&data_begin, &data_in_flash, (size_t)((char *)&data_end - (char *)&data_begin));
    memset(&bss_begin, 0, (size_t)((char *)&bss_end - (char *)&bss_begin));
    main();
    for (;;) { }
}

static void fault(void)
{
    for (;;) { }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    &stack_top, (const void *)reset, (const void *)fault, (const void *)fault};

static void host(int operation, const void *argument) /* semihosting: the debugger, or QEMU, does it */
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void print_number(float value) /* six digits of a number in 0 .. 1 */
{
    char text[] = "0.000000\n";
    int millionths = (int)(value * 1e6f + 0.5f);
    for (int k = 7; k > 1; --k, millionths /= 10) text[k] = (char)('0' + millionths % 10);
    text[0] = (char)('0' + millionths);
    host(4, text);
}

static float features[250], answer[2];
static unsigned char workspace[wake_word_WORKSPACE_BYTES] __attribute__((aligned(64)));

int main(void)
{
    for (int k = 0; k < 250; ++k) features[k] = (float)(k % 7) / 7.0f;
    const int32_t code = wake_word_call(features, answer, workspace, sizeof workspace);
    if (code != wake_word_OK) {
        host(4, wake_word_strerror(code));
        return 1;
    }
    print_number(answer[0]);
    print_number(answer[1]);
    host(0x18, (const void *)0x20026); /* the program has ended */
    return 0;
}
