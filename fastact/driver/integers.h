/* Loops over integers, for the activations that keep them and have no parameters. They have the
   signature of the other loops: blocks of 16 elements, and no parameters. */
#ifndef FASTACT_INTEGERS_H
#define FASTACT_INTEGERS_H

#include <stddef.h>
#include <stdint.h>

typedef void (*fastact_integer_loop)(void **inputs, void **outputs, ptrdiff_t blocks, double *none);

/* Each verb reads all inputs of an element before it writes: an output may be an input. */
#define FASTACT_INTEGER_LOOP(name, type, statements)                                            \
    static void name(void **inputs, void **outputs, ptrdiff_t blocks, double *none)             \
    {                                                                                           \
        const type *a = (const type *)inputs[0];                                                \
        const type *b = (const type *)inputs[1];                                                \
        type *y = (type *)outputs[0], *d = (type *)outputs[1];                                  \
        (void)b, (void)d, (void)none;                                                           \
        for (ptrdiff_t i = 0; i < 16 * blocks; i++) {                                           \
            statements                                                                          \
        }                                                                                       \
    }

/* VALUE and IS_ACTIVE are macros of one element: f, and whether f' is 1. */
#define FASTACT_INTEGER_LOOPS(row, type, VALUE, IS_ACTIVE)                                      \
    FASTACT_INTEGER_LOOP(fastact_##row##_forward_##type, type, y[i] = VALUE(a[i]);)             \
    FASTACT_INTEGER_LOOP(fastact_##row##_grad_##type, type, y[i] = IS_ACTIVE(a[i]);)            \
    FASTACT_INTEGER_LOOP(fastact_##row##_backward_##type, type,                                 \
                         y[i] = IS_ACTIVE(b[i]) ? a[i] : 0;)                                    \
    FASTACT_INTEGER_LOOP(fastact_##row##_both_##type, type, type x = a[i];                      \
                         d[i] = IS_ACTIVE(x); y[i] = VALUE(x);)

#define FASTACT_IDENTITY(x) (x)
#define FASTACT_ALWAYS(x) 1
#define FASTACT_RELU(x) ((x) > 0 ? (x) : 0)
#define FASTACT_IS_POSITIVE(x) ((x) > 0)
#define FASTACT_RELU6(x) ((x) > 6 ? 6 : FASTACT_RELU(x))
#define FASTACT_IS_BELOW_6(x) ((x) > 0 && (x) < 6)

#define FASTACT_INTEGER_ROWS(type)                                                              \
    FASTACT_INTEGER_LOOPS(identity, type, FASTACT_IDENTITY, FASTACT_ALWAYS)                     \
    FASTACT_INTEGER_LOOPS(relu, type, FASTACT_RELU, FASTACT_IS_POSITIVE)                        \
    FASTACT_INTEGER_LOOPS(relu6, type, FASTACT_RELU6, FASTACT_IS_BELOW_6)

FASTACT_INTEGER_ROWS(int8_t)
FASTACT_INTEGER_ROWS(uint8_t)
FASTACT_INTEGER_ROWS(int16_t)
FASTACT_INTEGER_ROWS(uint16_t)
FASTACT_INTEGER_ROWS(int32_t)
FASTACT_INTEGER_ROWS(uint32_t)
FASTACT_INTEGER_ROWS(int64_t)
FASTACT_INTEGER_ROWS(uint64_t)

/* f'(x) is f'(y): backward_from_output is backward. */
#define FASTACT_INTEGER_VERBS(row, type)                                                        \
    {fastact_##row##_forward_##type, fastact_##row##_grad_##type,                               \
     fastact_##row##_backward_##type, fastact_##row##_backward_##type,                          \
     fastact_##row##_both_##type}

#define FASTACT_INTEGER_TYPES(row)                                                              \
    {FASTACT_INTEGER_VERBS(row, int8_t), FASTACT_INTEGER_VERBS(row, uint8_t),                   \
     FASTACT_INTEGER_VERBS(row, int16_t), FASTACT_INTEGER_VERBS(row, uint16_t),                 \
     FASTACT_INTEGER_VERBS(row, int32_t), FASTACT_INTEGER_VERBS(row, uint32_t),                 \
     FASTACT_INTEGER_VERBS(row, int64_t), FASTACT_INTEGER_VERBS(row, uint64_t)}

/* By row, by type (twice the logarithm of the size, and 1 where there is no sign), and by verb. */
static const fastact_integer_loop FASTACT_INTEGERS[3][8][5] = {
    FASTACT_INTEGER_TYPES(identity), FASTACT_INTEGER_TYPES(relu), FASTACT_INTEGER_TYPES(relu6)};

static fastact_integer_loop fastact_find_integer_loop(int row, int verb, int size, int is_unsigned)
{
    int logarithm = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    return FASTACT_INTEGERS[row][2 * logarithm + is_unsigned][verb];
}

#endif
