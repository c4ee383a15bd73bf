/* The system refuses to create threads for a while: calls go on, and get their workers later. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool refusing;
static int attempts;

static int create_or_refuse(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*start)(void *), void *argument)
{
    attempts++;
    return refusing ? 11 : pthread_create(thread, attributes, start, argument);
}

#define pthread_create create_or_refuse
#include "threads.h"

enum { CHUNKS = 100 };
static atomic_int claims[CHUNKS];

static void task(void *context, ptrdiff_t chunk)
{
    (void)context;
    claims[chunk]++;
}

static void expect(int expected_threads, int expected_attempts)
{
    static int rounds;
    fastact_run_parallel(task, NULL, CHUNKS, 4);
    rounds++;
    for (int i = 0; i < CHUNKS; i++)
        if (claims[i] != rounds)
            exit(printf("round %d: chunk %d ran %d times\n", rounds, i, claims[i]));
    if (fastact_existing_threads() != expected_threads || attempts != expected_attempts)
        exit(printf("round %d: %d threads after %d attempts\n", rounds, fastact_existing_threads(),
                    attempts));
}

int main(void)
{
    const struct timespec pause = { .tv_nsec = FASTACT_SPAWN_AGAIN_NS + 1000000 };
    refusing = true;
    expect(1, 1);
    expect(1, 1); /* not again at once */
    nanosleep(&pause, NULL);
    expect(1, 2);
    refusing = false;
    nanosleep(&pause, NULL);
    expect(4, 5);
    expect(4, 5);
    return 0;
}
