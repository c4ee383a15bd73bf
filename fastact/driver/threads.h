/* A pool of threads that runs one parallel loop at a time. Include it in one module only.

   The caller claims chunks of the loop as the workers do, so it never waits for a worker that has
   not claimed one; if another thread has the pool, it runs them all itself. Results must not depend
   on who runs a chunk. Where there are no pthreads, everything runs on the caller. */
#ifndef FASTACT_THREADS_H
#define FASTACT_THREADS_H

#include <stddef.h>


typedef void (*fastact_task)(void *context, ptrdiff_t chunk);

static void fastact_run_serial(fastact_task task, void *context, ptrdiff_t chunks)
{
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++)
        task(context, chunk);
}

#if (defined(__unix__) || defined(__APPLE__)) && !defined(__STDC_NO_ATOMICS__)

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* On virtual machines, waking a worker costs the caller 15 us, and the worker arrives after 50. So
   a worker spins for the next job about as long, if the last two came closer together; longer
   would cost more than it saves, and others want the processor. */
#ifndef FASTACT_SPIN_NS
#define FASTACT_SPIN_NS 100000
#endif
/* 1 to 5 us: back-to-back jobs do not reach the first yield, which could last a time slice. */
#ifndef FASTACT_PAUSES_PER_YIELD
#define FASTACT_PAUSES_PER_YIELD 100
#endif
/* Of 10 us each; a lone job of fewer is over too soon for a sleeping worker to be worth waking. */
#ifndef FASTACT_CHUNKS_WORTH_WAKING
#define FASTACT_CHUNKS_WORTH_WAKING 10
#endif
/* After the system refused to create a thread, calls go on with those that exist, and try again
   after this time: a refusal costs 10 to 20 us. */
#ifndef FASTACT_SPAWN_AGAIN_NS
#define FASTACT_SPAWN_AGAIN_NS 10000000
#endif
#define FASTACT_MAX_THREADS 1024
#define FASTACT_STACK_BYTES ((size_t)1 << 20)

/* The chunks that nobody has claimed, first to last - 1, and how many threads may claim them, in
   one word. That it may have belonged to an earlier job when it was read does no harm: a claim
   succeeds only on what the word is now. */
#define FASTACT_CHUNK_BITS 24
#define FASTACT_MAX_CHUNKS (((ptrdiff_t)1 << FASTACT_CHUNK_BITS) - 1)
typedef uint64_t fastact_unclaimed;

static inline fastact_unclaimed fastact_pack(int threads, ptrdiff_t first, ptrdiff_t last)
{
    return (uint64_t)threads << 2 * FASTACT_CHUNK_BITS | (uint64_t)first << FASTACT_CHUNK_BITS
        | (uint64_t)last;
}

static inline int fastact_threads_of(fastact_unclaimed word)
{
    return (int)(word >> 2 * FASTACT_CHUNK_BITS);
}

static inline ptrdiff_t fastact_first_of(fastact_unclaimed word)
{
    return (ptrdiff_t)(word >> FASTACT_CHUNK_BITS) & FASTACT_MAX_CHUNKS;
}

static inline ptrdiff_t fastact_last_of(fastact_unclaimed word)
{
    return (ptrdiff_t)word & FASTACT_MAX_CHUNKS;
}

/* Where a thread sleeps. */
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t awakened;
    atomic_bool asleep;
    pthread_t sleeper;
    int avoided; /* the processor on which it may not run, or -1 */
} fastact_bed;

static struct {
    atomic_int callers;
    atomic_bool busy; /* one of them has the pool; the next three are its own */
    atomic_int threads;  /* the caller, number 0, and the workers that exist */
    int64_t spawn_after; /* no thread is created before: the system refused one */
    int64_t last_end;

    /* The job. Whoever holds a chunk keeps it alive, so it is read between a claim and its end. */
    fastact_task task;
    void *context;
    uint64_t arithmetic; /* the caller's */
    atomic_int caller_processor;
    atomic_bool in_succession;
    _Alignas(64) _Atomic fastact_unclaimed unclaimed;
    _Atomic ptrdiff_t unfinished;

    _Alignas(64) fastact_bed beds[FASTACT_MAX_THREADS];
} fastact_pool;

/* How this thread rounds and whether it flushes subnormals, in the processor's own words. A worker
   has that of the thread that created it, at that time; so it takes over the caller's with each
   chunk, or results would depend on who runs it. */
#if defined(__SSE2__)

static inline uint64_t fastact_arithmetic(void)
{
    return _mm_getcsr() & ~(unsigned)_MM_EXCEPT_MASK;
}

static inline void fastact_set_arithmetic(uint64_t word)
{
    if (fastact_arithmetic() != word)
        _mm_setcsr((unsigned)word);
}

#elif defined(__aarch64__)

static inline uint64_t fastact_arithmetic(void)
{
    uint64_t word;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(word));
    return word;
}

static inline void fastact_set_arithmetic(uint64_t word)
{
    if (fastact_arithmetic() != word)
        __asm__ __volatile__("msr fpcr, %0" : : "r"(word));
}

#else

static inline uint64_t fastact_arithmetic(void)
{
    return 0;
}

static inline void fastact_set_arithmetic(uint64_t word)
{
    (void)word;
}

#endif

static inline void fastact_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb"); /* yield is a no-op on most cores */
#endif
}

static int64_t fastact_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* --- where to run ---------------------------------------------------------------------------- */

#ifdef __linux__

static inline int fastact_processor(void)
{
    return sched_getcpu();
}

/* Linux may wake a worker on the caller's processor, and there they take turns: for a time slice,
   which is longer than most jobs, nothing is gained. So the caller keeps those that it wakes itself
   away, as long as it stays where it is; the others leave when it is their turn. */
static void fastact_keep_away(fastact_bed *bed, int processor)
{
    cpu_set_t others;
    if (bed->avoided == processor || sched_getaffinity(0, sizeof others, &others) != 0)
        return;
    CPU_CLR(processor, &others);
    if (CPU_COUNT(&others) == 0)
        return;
    pthread_setaffinity_np(bed->sleeper, sizeof others, &others);
    bed->avoided = processor;
}

static void fastact_leave_processor(int processor)
{
    cpu_set_t allowed, others;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    others = allowed;
    CPU_CLR(processor, &others);
    if (CPU_COUNT(&others) == 0)
        return;
    sched_setaffinity(0, sizeof others, &others);
    sched_setaffinity(0, sizeof allowed, &allowed);
}

#else

static inline int fastact_processor(void)
{
    return -1;
}

static void fastact_keep_away(fastact_bed *bed, int processor)
{
    (void)bed, (void)processor;
}

static void fastact_leave_processor(int processor)
{
    (void)processor;
}

#endif

/* --- waiting --------------------------------------------------------------------------------- */

static inline bool fastact_may_claim(fastact_unclaimed word, int thread)
{
    return thread < fastact_threads_of(word) && fastact_first_of(word) < fastact_last_of(word);
}

/* Whether there is what this thread waits for: the end of the job for the caller, else a chunk. */
static bool fastact_is_ready(int thread)
{
    return thread == 0 ? atomic_load(&fastact_pool.unfinished) == 0
                       : fastact_may_claim(atomic_load(&fastact_pool.unclaimed), thread);
}

static bool fastact_spin_until_ready(int thread)
{
    int64_t end = fastact_now() + FASTACT_SPIN_NS;
    do {
        for (int i = 0; i < FASTACT_PAUSES_PER_YIELD; i++) {
            if (fastact_is_ready(thread))
                return true;
            fastact_pause();
        }
        sched_yield();
    } while (fastact_now() < end);
    return false;
}

/* Sleep until ready or woken. Sequential consistency sees to it that either the sleeper sees what
   the waker has changed, or the waker sees that it sleeps. */
static void fastact_sleep(int thread)
{
    fastact_bed *bed = &fastact_pool.beds[thread];
    pthread_mutex_lock(&bed->mutex);
    atomic_store(&bed->asleep, true);
    while (atomic_load(&bed->asleep) && !fastact_is_ready(thread))
        pthread_cond_wait(&bed->awakened, &bed->mutex);
    atomic_store(&bed->asleep, false);
    pthread_mutex_unlock(&bed->mutex);
}

static void fastact_wake(int thread, int by)
{
    fastact_bed *bed = &fastact_pool.beds[thread];
    if (!atomic_load(&bed->asleep))
        return;
    if (by == 0)
        fastact_keep_away(bed, atomic_load(&fastact_pool.caller_processor));
    pthread_mutex_lock(&bed->mutex);
    atomic_store(&bed->asleep, false);
    pthread_mutex_unlock(&bed->mutex);
    pthread_cond_signal(&bed->awakened);
}

/* Every thread wakes two others: on many processors, one after another would take too long. */
static void fastact_wake_next(int thread)
{
    fastact_unclaimed word = atomic_load(&fastact_pool.unclaimed);
    for (int next = 2 * thread + 1; next <= 2 * thread + 2; next++)
        if (fastact_may_claim(word, next))
            fastact_wake(next, thread);
}

/* --- working --------------------------------------------------------------------------------- */

/* Claim a chunk, or return -1 if there is none. The caller takes them from the front and workers
   from the back, so that in the next job over the same array each finds its part in its cache. */
static ptrdiff_t fastact_claim(int thread)
{
    fastact_unclaimed word = atomic_load(&fastact_pool.unclaimed);
    while (fastact_may_claim(word, thread)) {
        ptrdiff_t first = fastact_first_of(word), last = fastact_last_of(word);
        ptrdiff_t chunk = thread == 0 ? first++ : --last;
        fastact_unclaimed rest = fastact_pack(fastact_threads_of(word), first, last);
        if (atomic_compare_exchange_weak(&fastact_pool.unclaimed, &word, rest))
            return chunk;
    }
    return -1;
}

static void fastact_work(int thread)
{
    for (ptrdiff_t chunk = fastact_claim(thread); chunk >= 0; chunk = fastact_claim(thread)) {
        if (thread != 0)
            fastact_set_arithmetic(fastact_pool.arithmetic);
        fastact_pool.task(fastact_pool.context, chunk);
        if (atomic_fetch_sub(&fastact_pool.unfinished, 1) == 1 && thread != 0)
            fastact_wake(0, thread);
    }
}

static void *fastact_worker(void *number)
{
    int thread = (int)(intptr_t)number;
#ifdef __APPLE__
    pthread_setname_np("fastact");
#endif
    for (;;) {
        if (!(atomic_load(&fastact_pool.in_succession) && fastact_spin_until_ready(thread)))
            fastact_sleep(thread);
        int caller_processor = atomic_load(&fastact_pool.caller_processor);
        if (caller_processor >= 0 && caller_processor == fastact_processor())
            fastact_leave_processor(caller_processor);
        fastact_wake_next(thread);
        fastact_work(thread);
    }
    return NULL;
}

static void fastact_make_bed(int thread)
{
    fastact_bed *bed = &fastact_pool.beds[thread];
    pthread_mutex_init(&bed->mutex, NULL);
    pthread_cond_init(&bed->awakened, NULL);
    atomic_store(&bed->asleep, false);
    bed->avoided = -1;
}

/* Create workers until there are `threads` threads, or as many as the system gives. Signals are for the application's own threads, but those that a fault raises are not
   blocked, so that its handler for them is called. */
static void fastact_hire(int threads)
{
    sigset_t signals, previous;
    pthread_attr_t attributes;
    sigfillset(&signals);
    sigdelset(&signals, SIGSEGV);
    sigdelset(&signals, SIGBUS);
    sigdelset(&signals, SIGFPE);
    sigdelset(&signals, SIGILL);
    pthread_sigmask(SIG_SETMASK, &signals, &previous);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, FASTACT_STACK_BYTES);
    while (fastact_pool.threads < threads) {
        pthread_t created;
        void *number = (void *)(intptr_t)fastact_pool.threads;
        fastact_make_bed(fastact_pool.threads);
        if (pthread_create(&created, &attributes, fastact_worker, number) != 0) {
            fastact_pool.spawn_after = fastact_now() + FASTACT_SPAWN_AGAIN_NS;
            break;
        }
        fastact_pool.beds[fastact_pool.threads].sleeper = created;
        fastact_pool.threads++;
#ifdef __linux__
        pthread_setname_np(created, "fastact");
#endif
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
}

/* Make the pool empty and idle: when the module is loaded, and in a forked child, where no worker
   lives and the job, if there was one, is its parent's. */
static void fastact_reset(void)
{
    fastact_pool.threads = 1;
    fastact_pool.spawn_after = 0;
    fastact_make_bed(0);
    atomic_store(&fastact_pool.unclaimed, 0);
    atomic_store(&fastact_pool.unfinished, 0);
    atomic_store(&fastact_pool.busy, false);
    atomic_store(&fastact_pool.callers, 0);
}

__attribute__((constructor)) static void fastact_load(void)
{
    fastact_reset();
    pthread_atfork(NULL, NULL, fastact_reset);
}

static void fastact_share(fastact_task task, void *context, ptrdiff_t chunks, int threads)
{
    if (fastact_pool.threads < threads && fastact_now() >= fastact_pool.spawn_after)
        fastact_hire(threads);
    if (fastact_pool.threads < threads)
        threads = fastact_pool.threads;
    fastact_pool.task = task;
    fastact_pool.context = context;
    fastact_pool.arithmetic = fastact_arithmetic();
    atomic_store(&fastact_pool.caller_processor, fastact_processor());
    atomic_store(&fastact_pool.unfinished, chunks);
    atomic_store(&fastact_pool.unclaimed, fastact_pack(threads, 0, chunks));
    fastact_wake_next(0);
    fastact_work(0);
    while (!fastact_is_ready(0))
        if (!fastact_spin_until_ready(0))
            fastact_sleep(0);
}

static void fastact_run_with_pool(fastact_task task, void *context, ptrdiff_t chunks, int threads)
{
    bool in_succession = fastact_now() - fastact_pool.last_end < FASTACT_SPIN_NS;
    atomic_store(&fastact_pool.in_succession, in_succession);
    if (in_succession || chunks >= FASTACT_CHUNKS_WORTH_WAKING)
        fastact_share(task, context, chunks, threads);
    else
        fastact_run_serial(task, context, chunks);
    fastact_pool.last_end = fastact_now();
}

/* --- the interface --------------------------------------------------------------------------- */

static inline int fastact_threads_available(void)
{
    return 1;
}

/* Return the number of threads that exist: the caller and the workers. */
static inline int fastact_existing_threads(void)
{
    return fastact_pool.threads;
}

/* Run task(context, 0) .. task(context, chunks - 1), each once, on the calling thread and up to
   num_threads - 1 workers; return when all are done. A chunk should be about 10 us of work. Others
   who call at the same time count as threads: two callers on two processors need no worker. */
static void fastact_run_parallel(fastact_task task, void *context, ptrdiff_t chunks,
                                 int num_threads)
{
    ptrdiff_t threads = num_threads - atomic_fetch_add(&fastact_pool.callers, 1);
    if (threads > chunks)
        threads = chunks;
    if (threads > FASTACT_MAX_THREADS)
        threads = FASTACT_MAX_THREADS;
    if (threads < 2 || chunks > FASTACT_MAX_CHUNKS || atomic_exchange(&fastact_pool.busy, true)) {
        fastact_run_serial(task, context, chunks);
    } else {
        fastact_run_with_pool(task, context, chunks, (int)threads);
        atomic_store(&fastact_pool.busy, false);
    }
    atomic_fetch_sub(&fastact_pool.callers, 1);
}

#else

static inline int fastact_threads_available(void)
{
    return 0;
}

static inline int fastact_existing_threads(void)
{
    return 1;
}

static void fastact_run_parallel(fastact_task task, void *context, ptrdiff_t chunks,
                                 int num_threads)
{
    (void)num_threads;
    fastact_run_serial(task, context, chunks);
}

#endif
#endif
