/* A bounded pool of recycled buffers for large arrays, as a set of NumPy allocation functions.
 *
 * A fresh page costs its first writer more than the arithmetic on it: the kernel must find it,
 * clear it and map it. So large blocks come from mappings of their own, in huge pages where the
 * system has them, and a freed mapping is kept for the next block of about its size.
 *
 * Plain C that knows nothing of Python: any thread may call anything here, with or without the
 * GIL, and nothing is called back while the lock is held.
 *
 * - A block of a threshold's bytes or more is a mapping, entered in a table while it is in use.
 *   What the table does not know came from malloc, and stays with it.
 * - Idle mappings are a list from the last freed to the first. A block takes the smallest that
 *   fits it, the last freed of those: it may be in the cache still. Their bytes never exceed
 *   the limit; the first freed leave first.
 * - A fork makes every page shared until one side writes it, so nothing is reused across one:
 *   idle mappings are dropped before it, and what was in use then is unmapped when it is freed.
 */

#ifndef FASTACT_BUFFER_POOL_H
#define FASTACT_BUFFER_POOL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Mappings are multiples of this, and so of the page size of every system in use. */
#define POOL_UNIT ((size_t)1 << 16)
#define POOL_HUGE_PAGE_SIZE ((size_t)1 << 21)
/* A block leaves at most one part in so many of its mapping unused: 12.5 %. */
#define POOL_WASTE_SHARE 8
#define POOL_TABLE_BITS 10

typedef struct {
    size_t limit;
    size_t idle_bytes;
    size_t idle_buffers;
    size_t used_bytes;
    size_t used_buffers;
    size_t hits;
    size_t misses;
} pool_figures;

typedef struct pool_buffer {
    void *data;
    size_t capacity;
    size_t generation;         /* in use: the number of forks before it was handed out */
    struct pool_buffer *next;  /* in use: in its row of the table; idle: freed before this one */
    struct pool_buffer *newer; /* idle: freed after this one */
} pool_buffer;

static struct {
    pool_figures figures;
    size_t threshold;  /* blocks below it are malloc's */
    size_t generation; /* the number of forks */
    pool_buffer *table[1 << POOL_TABLE_BITS];
    pool_buffer *newest;
    pool_buffer *oldest;
} pool;

/* --- the system ------------------------------------------------------------------------------ */

#if defined(__unix__) || defined(__APPLE__)
#define POOL_AVAILABLE 1

#include <pthread.h>
#include <sys/mman.h>

static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static void pool_lock(void) { pthread_mutex_lock(&pool_mutex); }
static void pool_unlock(void) { pthread_mutex_unlock(&pool_mutex); }

static void pool_unmap(void *data, size_t size) { munmap(data, size); }

static void *pool_map_pages(size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? NULL : data;
}

/* Start at the start of a page: stores that run a few cache lines ahead of the loads, modulo
 * 4 KiB, delay them, and inputs start at a page too or, from malloc, 16 bytes after. Measured: a
 * start 64 to 512 bytes after the input's makes relu 10 % to 25 % slower. */
static void *pool_map(size_t size)
{
#ifdef MADV_HUGEPAGE
    char *start = pool_map_pages(size + POOL_HUGE_PAGE_SIZE);
    if (start == NULL) return NULL;
    size_t before = -(uintptr_t)start % POOL_HUGE_PAGE_SIZE;
    char *data = start + before;
    if (before > 0) munmap(start, before);
    munmap(data + size, POOL_HUGE_PAGE_SIZE - before);
    madvise(data, size, MADV_HUGEPAGE); /* small pages do, where it is refused */
    return data;
#else
    return pool_map_pages(size);
#endif
}

#else
/* No mappings: the limit stays 0, and nothing enters the pool. */
#define POOL_AVAILABLE 0
static void pool_lock(void) {}
static void pool_unlock(void) {}
static void pool_unmap(void *data, size_t size) { (void)data, (void)size; }
static void *pool_map(size_t size) { (void)size; return NULL; }
#endif

/* --- buffers: with the lock held ------------------------------------------------------------- */

static pool_buffer **pool_row(void *data)
{
    /* Fibonacci hashing: the upper bits of a product with 2^64 / golden ratio. */
    uint64_t hash = (uint64_t)(uintptr_t)data * UINT64_C(0x9E3779B97F4A7C15);
    return &pool.table[hash >> (64 - POOL_TABLE_BITS)];
}

/* Return the link that leads to the buffer in use at `data`; it holds NULL if there is none. */
static pool_buffer **pool_find(void *data)
{
    pool_buffer **link = pool_row(data);
    while (*link != NULL && (*link)->data != data) link = &(*link)->next;
    return link;
}

static void pool_enter_use(pool_buffer *buffer)
{
    pool_buffer **row = pool_row(buffer->data);
    buffer->generation = pool.generation;
    buffer->next = *row;
    *row = buffer;
    pool.figures.used_bytes += buffer->capacity;
    pool.figures.used_buffers++;
}

static pool_buffer *pool_leave_use(void *data)
{
    pool_buffer **link = pool_find(data);
    pool_buffer *buffer = *link;
    if (buffer == NULL) return NULL;
    *link = buffer->next;
    pool.figures.used_bytes -= buffer->capacity;
    pool.figures.used_buffers--;
    return buffer;
}

static void pool_enter_idle(pool_buffer *buffer)
{
    buffer->newer = NULL;
    buffer->next = pool.newest;
    if (pool.newest != NULL) pool.newest->newer = buffer;
    else pool.oldest = buffer;
    pool.newest = buffer;
    pool.figures.idle_bytes += buffer->capacity;
    pool.figures.idle_buffers++;
}

static void pool_leave_idle(pool_buffer *buffer)
{
    if (buffer->newer != NULL) buffer->newer->next = buffer->next;
    else pool.newest = buffer->next;
    if (buffer->next != NULL) buffer->next->newer = buffer->newer;
    else pool.oldest = buffer->newer;
    pool.figures.idle_bytes -= buffer->capacity;
    pool.figures.idle_buffers--;
}

static void pool_destroy(pool_buffer *buffer)
{
    pool_unmap(buffer->data, buffer->capacity);
    free(buffer);
}

static void pool_shrink_to(size_t idle_bytes)
{
    while (pool.figures.idle_bytes > idle_bytes) {
        pool_buffer *buffer = pool.oldest;
        pool_leave_idle(buffer);
        pool_destroy(buffer);
    }
}

static int pool_fits(size_t capacity, size_t size)
{
    return capacity >= size && capacity - size <= capacity / POOL_WASTE_SHARE;
}

static pool_buffer *pool_best_idle(size_t size, size_t exact)
{
    pool_buffer *best = NULL;
    for (pool_buffer *buffer = pool.newest; buffer != NULL; buffer = buffer->next) {
        if (buffer->capacity == exact) return buffer;
        if (pool_fits(buffer->capacity, size) && (!best || buffer->capacity < best->capacity))
            best = buffer;
    }
    return best;
}

/* --- forks ----------------------------------------------------------------------------------- */

#if POOL_AVAILABLE
static void pool_before_fork(void)
{
    pool_lock();
    pool_shrink_to(0);
}

static void pool_after_fork(void)
{
    pool.generation++;
    pool_unlock();
}

/* Call once, before anything else; return 0, or the number of an error. */
static int pool_start(size_t threshold)
{
    pool.threshold = threshold;
    return pthread_atfork(pool_before_fork, pool_after_fork, pool_after_fork);
}
#else
static int pool_start(size_t threshold) { pool.threshold = threshold; return 0; }
#endif

/* --- what others call ------------------------------------------------------------------------ */

static void pool_set_limit(size_t limit)
{
    pool_lock();
    pool.figures.limit = POOL_AVAILABLE ? limit : 0;
    pool_shrink_to(pool.figures.limit);
    pool_unlock();
}

static void pool_clear(void)
{
    pool_lock();
    pool_shrink_to(0);
    pool_unlock();
}

static pool_figures pool_read(void)
{
    pool_lock();
    pool_figures figures = pool.figures;
    pool_unlock();
    return figures;
}

/* Whole huge pages where that wastes little. 0 if the sum overflows. */
static size_t pool_capacity(size_t size)
{
    size_t unit = size / POOL_HUGE_PAGE_SIZE < POOL_WASTE_SHARE ? POOL_UNIT : POOL_HUGE_PAGE_SIZE;
    return (size + unit - 1) / unit * unit;
}

static pool_buffer *pool_new_buffer(size_t capacity)
{
    pool_buffer *buffer = malloc(sizeof(*buffer));
    if (buffer == NULL) return NULL;
    buffer->capacity = capacity;
    buffer->data = capacity > 0 ? pool_map(capacity) : NULL;
    if (buffer->data == NULL) {
        free(buffer);
        return NULL;
    }
    return buffer;
}

static void *pool_malloc(void *context, size_t size)
{
    (void)context;
    if (size < pool.threshold || !POOL_AVAILABLE) return malloc(size);
    size_t capacity = pool_capacity(size);
    pool_lock();
    pool_buffer *buffer = pool_best_idle(size, capacity);
    if (buffer != NULL) {
        pool_leave_idle(buffer);
        pool.figures.hits++;
    }
    else {
        buffer = pool_new_buffer(capacity);
        if (buffer == NULL) {
            pool_shrink_to(0); /* idle memory is not worth an error */
            buffer = pool_new_buffer(capacity);
        }
        pool.figures.misses++;
    }
    void *data = NULL;
    if (buffer != NULL) {
        pool_enter_use(buffer);
        data = buffer->data;
    }
    pool_unlock();
    return data;
}

static void *pool_calloc(void *context, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) return NULL;
    void *data = pool_malloc(context, count * size);
    if (data != NULL) memset(data, 0, count * size);
    return data;
}

static void pool_free(void *context, void *data, size_t size)
{
    (void)context, (void)size; /* the size is the caller's belief: the table knows */
    pool_lock();
    pool_buffer *buffer = pool_leave_use(data);
    if (buffer == NULL) free(data);
    else if (buffer->generation != pool.generation || buffer->capacity > pool.figures.limit)
        pool_destroy(buffer);
    else {
        pool_shrink_to(pool.figures.limit - buffer->capacity);
        pool_enter_idle(buffer);
    }
    pool_unlock();
}

static void *pool_realloc(void *context, void *data, size_t size)
{
    pool_lock();
    pool_buffer *buffer = *pool_find(data);
    size_t capacity = buffer != NULL ? buffer->capacity : 0;
    pool_unlock();
    if (buffer == NULL) return realloc(data, size);
    if (pool_fits(capacity, size)) return data;
    void *moved = pool_malloc(context, size);
    if (moved == NULL) return NULL;
    memcpy(moved, data, capacity < size ? capacity : size);
    pool_free(context, data, capacity);
    return moved;
}

#endif
