/* Threads that allocate, resize and free each other's blocks at random, while the limit changes
 * and children are forked. Run by test_pool.py under the compiler's sanitizers, and by hand:
 *
 *     cc -g -I fastact/driver tests/buffer_pool_stress.c -o stress -pthread
 *     valgrind --error-exitcode=1 ./stress 2000
 */

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer_pool.h"

#define THRESHOLD ((size_t)1 << 17)
#define LARGEST ((size_t)1 << 20)
#define LIMIT ((size_t)4 << 20)
#define N_THREADS 4
#define N_SLOTS 16

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

typedef struct {
    unsigned char *data;
    size_t size;
    unsigned char mark;
} block;

static block slots[N_SLOTS];
static pthread_mutex_t slots_mutex = PTHREAD_MUTEX_INITIALIZER;
static int n_steps;

static block exchange(unsigned slot, block mine)
{
    pthread_mutex_lock(&slots_mutex);
    block theirs = slots[slot];
    slots[slot] = mine;
    pthread_mutex_unlock(&slots_mutex);
    return theirs;
}

/* The ends, so that a write beyond a neighbour's end shows; marking all would take too long. */
static void mark(block *it, unsigned char mark)
{
    it->mark = mark;
    it->data[0] = it->data[it->size / 2] = it->data[it->size - 1] = mark;
}

static void check(const block *it, size_t size)
{
    CHECK(it->data[0] == it->mark);
    if (size > it->size / 2) CHECK(it->data[it->size / 2] == it->mark);
    if (size == it->size) CHECK(it->data[size - 1] == it->mark);
}

static void step(unsigned *seed)
{
    size_t size = 1 + rand_r(seed) % (rand_r(seed) % 4 == 0 ? THRESHOLD : LARGEST);
    unsigned char stamp = (unsigned char)rand_r(seed);
    block it = exchange(rand_r(seed) % N_SLOTS, (block){NULL, 0, 0});
    switch (rand_r(seed) % 4) {
    case 0:
        if (it.data == NULL) break;
        check(&it, it.size);
        size_t kept = size < it.size ? size : it.size;
        it.data = pool_realloc(NULL, it.data, size);
        CHECK(it.data != NULL);
        check(&it, kept);
        it.size = size;
        mark(&it, stamp);
        break;
    case 1:
        if (it.data != NULL) pool_free(NULL, it.data, it.size);
        it.data = pool_calloc(NULL, 1, size);
        CHECK(it.data != NULL && it.data[0] == 0 && it.data[size - 1] == 0);
        it.size = size;
        mark(&it, stamp);
        break;
    default:
        if (it.data != NULL) check(&it, it.size), pool_free(NULL, it.data, it.size);
        it.data = pool_malloc(NULL, size);
        CHECK(it.data != NULL);
        it.size = size;
        mark(&it, stamp);
    }
    it = exchange(rand_r(seed) % N_SLOTS, it);
    if (it.data != NULL) check(&it, it.size), pool_free(NULL, it.data, it.size);
    pool_figures figures = pool_read();
    CHECK(figures.idle_bytes <= figures.limit);
}

static void *work(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < n_steps; i++) {
        step(&seed);
        if (i % 64 == 0) pool_set_limit(rand_r(&seed) % LIMIT);
        if (i % 97 == 0) pool_clear();
    }
    return NULL;
}

/* In a child, which has one thread: the lock is free, and nothing of the parent's is reused. */
static int in_child(void *from_parent)
{
    CHECK(pool_read().idle_buffers == 0);
    pool_set_limit(LIMIT);
    pool_free(NULL, from_parent, LARGEST);
    CHECK(pool_read().idle_buffers == 0);
    void *data = pool_malloc(NULL, LARGEST);
    CHECK(data != NULL);
    memset(data, 1, LARGEST);
    pool_free(NULL, data, LARGEST);
    CHECK(pool_read().idle_bytes == LARGEST);
    CHECK(pool_malloc(NULL, LARGEST) == data);
    return 0;
}

int main(int argc, char **argv)
{
    n_steps = argc > 1 ? atoi(argv[1]) : 5000;
    int n_forks = argc > 2 ? atoi(argv[2]) : 5;
    CHECK(pool_start(THRESHOLD) == 0);
    pool_set_limit(LIMIT);
    CHECK(pool_malloc(NULL, SIZE_MAX) == NULL && pool_malloc(NULL, SIZE_MAX / 2) == NULL);
    CHECK(pool_calloc(NULL, SIZE_MAX / 2, 3) == NULL);

    void *held = pool_malloc(NULL, LARGEST);
    pthread_t threads[N_THREADS];
    for (uintptr_t i = 0; i < N_THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    for (int i = 0; i < n_forks; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) _exit(in_child(held));
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);

    pool_clear();
    pool_set_limit(LIMIT);
    pool_free(NULL, held, LARGEST);
    CHECK(pool_read().idle_buffers == (n_forks > 0 ? 0 : 1));
    for (int i = 0; i < N_SLOTS; i++) {
        if (slots[i].data != NULL) pool_free(NULL, slots[i].data, slots[i].size);
    }
    pool_figures figures = pool_read();
    CHECK(figures.used_bytes == 0 && figures.used_buffers == 0);
    CHECK(figures.hits > 0 && figures.misses > 0);
    pool_set_limit(0);
    figures = pool_read();
    CHECK(figures.idle_bytes == 0 && figures.idle_buffers == 0);
    printf("hits %zu, misses %zu\n", figures.hits, figures.misses);
    return 0;
}
