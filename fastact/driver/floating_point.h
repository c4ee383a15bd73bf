/* The floating-point environment of the calling thread: rounding mode, and on x86 and ARM whether
   subnormal numbers are flushed to zero. fenv.h keeps both in an fenv_t. */
#ifndef FASTACT_FLOATING_POINT_H
#define FASTACT_FLOATING_POINT_H

#include <fenv.h>

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
