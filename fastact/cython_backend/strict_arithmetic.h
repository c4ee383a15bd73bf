/* Refuse to compile if the compiler may change results. setup.py overrides the flags of CFLAGS, so
 * that this catches only flags that a compiler adds after ours, or turns on by itself. */

#ifndef FASTACT_STRICT_ARITHMETIC_H
#define FASTACT_STRICT_ARITHMETIC_H

#include <float.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) \
    || defined(__NO_SIGNED_ZEROS__) || defined(__ASSOCIATIVE_MATH__) \
    || defined(__RECIPROCAL_MATH__) || defined(_M_FP_FAST)
#error "fastact needs IEEE arithmetic; remove -ffast-math, -Ofast and the like from CC and CFLAGS"
#endif

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "fastact needs float and double to be evaluated in their own precision (FLT_EVAL_METHOD 0)"
#endif

#endif
