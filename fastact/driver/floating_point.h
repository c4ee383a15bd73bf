/* The floating-point environment of the calling thread: rounding mode, and on x86 and ARM whether
   subnormal numbers are flushed to zero. fenv.h keeps both in an fenv_t. */
#ifndef FASTACT_FLOATING_POINT_H
#define FASTACT_FLOATING_POINT_H

#include <fenv.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

/* Forget which operations were inexact, overflowed and so on, so that NumPy warns of none. The
   functions of fenv.h look at the x87 unit too, which takes longer than a short loop. */
static inline void fastact_clear_exceptions(void)
{
#if defined(__SSE2__) || defined(_M_X64)
    unsigned int state = _mm_getcsr();
    if (state & _MM_EXCEPT_MASK) {
        _mm_setcsr(state & ~(unsigned int)_MM_EXCEPT_MASK);
    }
#elif defined(FE_ALL_EXCEPT)
    feclearexcept(FE_ALL_EXCEPT);
#endif
}

#ifdef FE_DFL_ENV

typedef fenv_t fastact_environment;

static inline void fastact_get_environment(fastact_environment *environment)
{
    fegetenv(environment);
}

static inline void fastact_set_environment(const fastact_environment *environment)
{
    fesetenv(environment);
}

static inline void fastact_set_default_environment(void)
{
    fesetenv(FE_DFL_ENV);
}

#else

typedef int fastact_environment;

static inline void fastact_get_environment(fastact_environment *environment)
{
    (void)environment;
}

static inline void fastact_set_environment(const fastact_environment *environment)
{
    (void)environment;
}

static inline void fastact_set_default_environment(void)
{
}

#endif
#endif
