/* Many callers, nested calls and forks at once; every chunk must run exactly once. Under the thread
   sanitizer (which wants a small address space), with workers that mostly sleep, then mostly spin:

   for spin in 0 3000 2000000; do
       gcc -g -O1 -fsanitize=thread -pthread -Ifastact/driver -DFASTACT_SPIN_NS=$spin \
           -DFASTACT_CHUNKS_WORTH_WAKING=2 tools/threads_stress.c -o threads_stress -lm
       TSAN_OPTIONS=die_after_fork=0 setarch -R ./threads_stress
   done */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threads.h"

enum { MAX_CHUNKS = 64, CALLERS = 5, ROUNDS = 4000, FORKS = 20 };

typedef struct {
    atomic_int claims[MAX_CHUNKS];
    int writes[MAX_CHUNKS]; /* not atomic: the sanitizer sees who races */
    bool nests;
} job;

static void check(const job *done, ptrdiff_t chunks)
{
    for (ptrdiff_t i = 0; i < MAX_CHUNKS; i++)
        if (done->claims[i] != (i < chunks) || done->writes[i] != (i < chunks)) {
            fprintf(stderr, "chunk %td of %td ran %d times\n", i, chunks, done->claims[i]);
            abort();
        }
}

static void task(void *context, ptrdiff_t chunk)
{
    job *mine = context;
    mine->claims[chunk]++;
    mine->writes[chunk]++;
    for (volatile int work = 0; work < chunk * 37 % 300;)
        work = work + 1;
    if (mine->nests) {
        job inner = {.nests = false};
        fastact_run_parallel(task, &inner, 5, 3);
        check(&inner, 5);
    }
}

static void run_rounds(int rounds, unsigned seed)
{
    for (int i = 0; i < rounds; i++) {
        job mine = {.nests = rand_r(&seed) % 8 == 0};
        ptrdiff_t chunks = rand_r(&seed) % (MAX_CHUNKS + 1);
        fastact_run_parallel(task, &mine, chunks, 1 + rand_r(&seed) % (CALLERS + 4));
        check(&mine, chunks);
        if (rand_r(&seed) % 64 == 0)
            usleep(rand_r(&seed) % 300);
    }
}

static void *caller(void *seed)
{
    run_rounds(ROUNDS, (unsigned)(intptr_t)seed);
    return NULL;
}

static void run_in_child(unsigned seed)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        run_rounds(200, seed);
        _exit(fastact_pool.threads < 2 || fastact_pool.callers != 0);
    }
    waitpid(child, &status, 0);
    if (status != 0) {
        fprintf(stderr, "a child ended with status %#x\n", status);
        abort();
    }
}

int main(void)
{
    pthread_t callers[CALLERS];
    run_rounds(ROUNDS, 1);
    for (intptr_t i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, caller, (void *)(i + 2));
    for (int i = 0; i < FORKS; i++)
        run_in_child((unsigned)i);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    printf("ran on %d threads\n", fastact_pool.threads);
    return 0;
}
